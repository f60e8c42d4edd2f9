internal import CMicroHTTPD
public import Wire

/// An answer that is written without libmicrohttpd, and after which the connection ends.
public struct ClosingAnswer: Sendable {
    /// Head and body, as they are sent.
    let bytes: [UInt8]

    /// An answer with these fields, to which those are added that frame it and end the connection.
    ///
    /// - Parameters:
    ///   - body: its length is told, even if it is not sent.
    ///   - isHead: whether the request is HEAD, so that no body may follow.
    public init(status: Int, fields: borrowing FieldBlock, body: Span<UInt8>, isHead: Bool) {
        var bytes = Array("HTTP/1.1 \(status) ".utf8)
        bytes.append(contentsOf: Self.phrase(of: status).utf8)
        var hasDate = false
        fields.forEach { name, value in
            if name.equalsIgnoringCase("date") {
                if hasDate { return }
                hasDate = true
            }
            bytes += [0x0D, 0x0A]
            bytes.append(name)
            bytes += [0x3A, 0x20]
            bytes.append(value)
        }
        let hasNoBody = status == 204 || status == 304
        if !hasNoBody { bytes += Array("\r\nContent-Length: \(body.count)".utf8) }
        bytes += Array("\r\nConnection: close\r\n".utf8)
        if !hasDate { bytes += Array("Date: ".utf8) + HTTPDate.now + [0x0D, 0x0A] }
        bytes += [0x0D, 0x0A]
        if !hasNoBody, !isHead { bytes.append(body) }
        self.bytes = bytes
    }

    static func phrase(of status: Int) -> String {
        unsafe MHD_get_reason_phrase_for(UInt32(clamping: status)).map { unsafe String(cString: $0) } ?? ""
    }
}
