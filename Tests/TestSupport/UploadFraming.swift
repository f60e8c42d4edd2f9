/// How a request frames its body.
public enum UploadFraming: String, CaseIterable, Sendable {
    /// Content-Length.
    case length
    /// One chunk and the last chunk.
    case chunked

    /// The field for a body of `count` bytes.
    public func field(_ count: Int) -> String {
        self == .length ? "Content-Length: \(count)" : "Transfer-Encoding: chunked"
    }

    /// The bytes of a body; for a body of `total` bytes, its beginning.
    public func bytes(_ body: String, of total: Int? = nil) -> String {
        guard self == .chunked else { return body }
        let total = total ?? body.utf8.count
        let end = total == body.utf8.count ? "\r\n0\r\n\r\n" : ""
        return "\(String(total, radix: 16))\r\n\(body)\(end)"
    }
}
