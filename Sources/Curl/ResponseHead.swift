public import HTTPWire

/// The status and fields of an answer, read line by line as libcurl hands them on.
///
/// Interim answers (1xx) are read and forgotten. Lines behind the body are trailers.
public struct ResponseHead {
    /// What a line did.
    enum Progress {
        case more
        /// The empty line behind the fields of a final answer.
        case complete
        case invalid(TransferFault)
    }

    /// The status code of the answer; 0 before its first line.
    public private(set) var status = 0
    /// The fields of the final answer.
    public var fields = FieldBlock()
    /// The announced length of the body, if it is framed by one.
    public private(set) var contentLength: Int64?
    /// Whether the fields are complete.
    public private(set) var isComplete = false
    private var hasTransferEncoding = false
    private var byteCount = 0

    /// Most bytes of one head that are taken; a provider that sends more sends garbage.
    static let limit = 64 << 10

    /// A head of which nothing has come.
    public init() {}

    mutating func reset() {
        status = 0
        startMessage()
        isComplete = false
    }

    private mutating func startMessage() {
        fields.removeAll()
        contentLength = nil
        hasTransferEncoding = false
        byteCount = 0
    }

    /// Takes one line, its line end included.
    mutating func take(_ raw: borrowing Span<UInt8>) -> Progress {
        var length = raw.count
        while length > 0, raw[length - 1] == 0x0A || raw[length - 1] == 0x0D { length -= 1 }
        if isComplete { return .more }
        byteCount += length
        guard byteCount <= Self.limit else { return .invalid(.headTooLarge) }
        let line = raw.extracting(0..<length)
        if line.isEmpty { return takeEnd() }
        if line.count > 5, line.extracting(0..<5).equals("HTTP/") { return takeStatus(line) }
        if line[0].isBlank {
            fields.continueLastValue(with: line.extracting(line.trimmedRange))
            return .more
        }
        return takeField(line)
    }

    private mutating func takeEnd() -> Progress {
        // 101 would change the protocol; Weir never asked for that, and waits on like for any other interim answer.
        guard status >= 200 else {
            startMessage()
            return .more
        }
        isComplete = true
        return .complete
    }

    private mutating func takeStatus(_ line: borrowing Span<UInt8>) -> Progress {
        startMessage()
        var start = 0
        while start < line.count, line[start] != 0x20 { start += 1 }
        while start < line.count, line[start] == 0x20 { start += 1 }
        guard start + 3 <= line.count, let code = line.extracting(start..<start + 3).decimal else {
            return .invalid(.badHead)
        }
        status = Int(code)
        return status >= 100 ? .more : .invalid(.badHead)
    }

    private mutating func takeField(_ line: borrowing Span<UInt8>) -> Progress {
        var colon = 0
        while colon < line.count, line[colon] != 0x3A { colon += 1 }
        let name = line.extracting(0..<colon)
        guard colon < line.count, name.isToken else { return .invalid(.badHead) }
        let rest = line.extracting(colon + 1..<line.count)
        let value = rest.extracting(rest.trimmedRange)
        for index in 0..<value.count where value[index].isForbiddenInFieldValue { return .invalid(.badHead) }
        if name.equalsIgnoringCase("content-length") {
            guard let length = value.decimal, contentLength == nil || contentLength == length else {
                return .invalid(.badLength)
            }
            contentLength = length
        } else if name.equalsIgnoringCase("transfer-encoding") {
            hasTransferEncoding = true
        }
        fields.append(name: name, value: value)
        return .more
    }

    /// The length of the body where that alone frames it (RFC 9112 6.3: a transfer coding overrides a length).
    public var bodyLength: Int64? { hasTransferEncoding ? nil : contentLength }
}

/// Why a callback of ours ended a transfer.
public enum TransferFault: Sendable {
    /// The answer's fields are more than 64 KiB.
    case headTooLarge
    /// A line of the answer's head is not HTTP.
    case badHead
    /// Several differing lengths, or one that is not a number.
    case badLength
    /// libcurl was about to send a request a second time that may be sent once only.
    case resendRefused
    /// The address is private, and that was not allowed.
    case prohibitedAddress
    /// The client's body ended badly.
    case uploadAborted
    /// Whoever takes the body wanted no more of it.
    case bodyRefused
}
