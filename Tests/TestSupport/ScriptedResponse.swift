/// The bytes that a scripted upstream sends, and what it does with the connection afterwards.
public struct ScriptedResponse: Sendable, Equatable {
    /// What happens after the last byte.
    public enum Ending: Sendable, Equatable {
        /// The connection waits for the next request.
        case keepOpen
        /// The connection closes in an orderly way.
        case close
        /// The connection is reset.
        case reset
        /// Nothing more is sent, and the connection stays open.
        case stall
    }

    /// The bytes to send.
    public var bytes: [UInt8]
    /// The action afterwards.
    public var ending: Ending

    /// A response of any bytes.
    public init(bytes: [UInt8], ending: Ending = .keepOpen) {
        self.bytes = bytes
        self.ending = ending
    }

    /// The same bytes with another ending.
    public func then(_ ending: Ending) -> ScriptedResponse { ScriptedResponse(bytes: bytes, ending: ending) }

    /// Any bytes, after which the connection stays open.
    public static func raw(_ bytes: [UInt8]) -> ScriptedResponse { ScriptedResponse(bytes: bytes) }

    /// Any text, after which the connection stays open.
    public static func raw(_ text: String) -> ScriptedResponse { raw(Array(text.utf8)) }

    /// 200 with a JSON body.
    public static func ok(_ json: String = "{}", fields: [(String, String)] = []) -> ScriptedResponse {
        status(200, fields: [("Content-Type", "application/json")] + fields, body: json)
    }

    /// Any status with a body framed by `Content-Length`, which 1xx, 204 and 304 do not get.
    public static func status(
        _ status: Int, reason: String = "Scripted", fields: [(String, String)] = [], body: String = ""
    ) -> ScriptedResponse {
        self.status(status, reason: reason, fields: fields, body: Array(body.utf8))
    }

    /// Any status with a body of any bytes framed by `Content-Length`, which 1xx, 204 and 304 do not get.
    public static func status(
        _ status: Int, reason: String = "Scripted", fields: [(String, String)] = [], body: [UInt8]
    ) -> ScriptedResponse {
        let hasBody = status >= 200 && status != 204 && status != 304
        let framing = hasBody ? [("Content-Length", String(body.count))] : []
        return raw(head(status, reason, fields + framing) + body)
    }

    /// A chunked body, with trailers, or without its end if not `terminated`: then the connection closes.
    public static func chunked(
        _ status: Int = 200, fields: [(String, String)] = [], chunks: [String],
        trailers: [(String, String)] = [],
        terminated: Bool = true
    ) -> ScriptedResponse {
        var text = ""
        for chunk in chunks { text += "\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n" }
        if terminated { text += "0\r\n" + lines(trailers) + "\r\n" }
        let head = head(status, "Scripted", fields + [("Transfer-Encoding", "chunked")])
        return ScriptedResponse(bytes: head + Array(text.utf8), ending: terminated ? .keepOpen : .close)
    }

    /// A body delimited by the end of the connection.
    public static func untilClose(
        _ status: Int = 200, fields: [(String, String)] = [], body: String
    ) -> ScriptedResponse {
        ScriptedResponse(bytes: head(status, "Scripted", fields) + Array(body.utf8), ending: .close)
    }

    /// A head that promises `length` bytes, and then nothing more.
    public static func headThenStall(
        _ status: Int = 200, fields: [(String, String)] = [], length: Int = 100
    ) -> ScriptedResponse {
        let head = head(status, "Scripted", fields + [("Content-Length", String(length))])
        return ScriptedResponse(bytes: head, ending: .stall)
    }

    /// A body shorter or longer than the `Content-Length` it declares, and then the end.
    public static func wrongLength(
        _ status: Int = 200, fields: [(String, String)] = [], declared: Int, body: String
    ) -> ScriptedResponse {
        let head = head(status, "Scripted", fields + [("Content-Length", String(declared))])
        return ScriptedResponse(bytes: head + Array(body.utf8), ending: .close)
    }

    /// A 1xx response before the real one: 100 and 103 in practice.
    public static func informational(
        _ status: Int = 103, fields: [(String, String)] = [], then response: ScriptedResponse
    ) -> ScriptedResponse {
        ScriptedResponse(bytes: head(status, "Early", fields) + response.bytes, ending: response.ending)
    }

    /// Bytes that are not HTTP, and then the end.
    public static let garbage = ScriptedResponse(
        bytes: [0x16, 0x03, 0x01, 0x00, 0xFF] + Array("\u{1}not http at all\r\n\r\n".utf8), ending: .close)

    private static func head(_ status: Int, _ reason: String, _ fields: [(String, String)]) -> [UInt8] {
        Array("HTTP/1.1 \(status) \(reason)\r\n\(lines(fields))\r\n".utf8)
    }

    private static func lines(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0): \($0.1)\r\n" }.joined()
    }
}
