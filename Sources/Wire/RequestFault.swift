/// Why a client's bytes are no HTTP/1 request that can be passed on.
public enum RequestFault: Error, Sendable, CaseIterable {
    case requestLine, version
    case targetTooLong, fieldsTooLarge
    case lineEnd, fieldName, fieldValue, folding
    case length, lengthTooLarge, lengths, coding, lengthAndCoding, codingInHTTP10
    case chunkSize, chunkTooLarge, chunkExtension, chunkEnd
}
