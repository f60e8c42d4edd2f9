internal import CMicroHTTPD
public import Wire

/// Interim answers (RFC 9110 15.2), for which libmicrohttpd has no call: they go past it.
extension IncomingRequest {
    /// Sends an interim answer at once, or not at all.
    ///
    /// > 0.9.75 begins to read a request when the answer before it has been handed to the system whole, and writes nothing before the
    /// answer but `100 Continue`, to whoever expects that: all of it before it looks at the body, or asks for the answer. So whatever
    /// is written in between stands where it belongs.
    ///
    /// - Parameters:
    ///   - status: 102 to 199.
    ///   - fields: well-formed, and none that frames a message.
    /// - Returns: false if it was not sent: it would be too large, the client speaks HTTP/1.0, has an answer already, may be told to go
    ///   on right now, or is slow to take what it was given before. Nobody needs an interim answer.
    @discardableResult
    public func sendInterim(status: Int, fields: borrowing FieldBlock) -> Bool {
        guard let client, let connection = unsafe connection, hasHead, !isHeadHeld, !isAnswered, !isAbandoned,
            unsafe cmhd_is_answered(connection) == 0, !head.isHTTP10, (102...199).contains(status),
            fields.byteCount + 4 * fields.count <= ClientConnection.interimLimit,
            bodyHasBegun || bodyHasEnded || !hasExpectation
        else { return false }
        var bytes = Array("HTTP/1.1 \(status) \(ClosingAnswer.phrase(of: status))\r\n".utf8)
        fields.forEach { name, value in
            bytes.append(name)
            bytes += [0x3A, 0x20]
            bytes.append(value)
            bytes += [0x0D, 0x0A]
        }
        bytes += [0x0D, 0x0A]
        return client.sendInterim(bytes)
    }

    private var hasExpectation: Bool {
        var isThere = false
        head.forEachField { name, _ in if name.equalsIgnoringCase("expect") { isThere = true } }
        return isThere
    }
}
