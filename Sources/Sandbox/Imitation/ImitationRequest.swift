internal import Core
internal import Wire

/// A complete request as a simulated provider sees it, without its mount, and with its time of arrival.
struct ImitationRequest: Sendable {
    /// The method, as sent.
    var method: String
    /// The path after the mount, as sent, without the query.
    var path: String
    /// The query, as sent.
    var query: String
    /// The request's fields.
    var fields: FieldBlock
    /// The whole body.
    let body: [UInt8]
    /// The body as JSON; `null` if it is not JSON.
    let json: JSONValue
    /// The time of arrival.
    var arrival: Moment
    /// The response that the request asks for, whatever it is; set by the server.
    var requested: ImitationResponse?
    /// Whether the request is not among those that get the response that it asks for; set by the server.
    var isUnasked = false
    /// The path segments that match a route's `*`, in order; set by the route table.
    var captures: [String] = []

    /// A request.
    init(
        _ method: String, _ target: String, fields: FieldBlock = FieldBlock(), body: [UInt8] = [],
        at arrival: Moment
    ) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "")
        query = parts.count > 1 ? String(parts[1]) : ""
        self.fields = fields
        self.body = body
        json = JSONValue(parsing: body) ?? .null
        self.arrival = arrival
    }

    /// The decoded segments of the path; a slash at the end is ignored.
    var steps: [String] {
        path.split(separator: "/").map { PercentDecoding.decode($0) }
    }

    /// The first value of a field (case-insensitive).
    func field(_ name: String) -> String? { fields.first(name) }

    /// The segment that matches the route's `*` number `index`.
    func capture(_ index: Int) -> String { index < captures.count ? captures[index] : "" }

    /// The first query parameter of that name, decoded.
    func parameter(_ name: String) -> String? {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if let first = parts.first, PercentDecoding.decode(first) == name {
                return parts.count > 1 ? PercentDecoding.decode(parts[1], plusIsBlank: true) : ""
            }
        }
        return nil
    }

    /// The credential of the authentication scheme `scheme` (lower case, compared case-insensitively).
    func credential(_ scheme: String) -> String? {
        guard let value = field("Authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == scheme else { return nil }
        return String(parts[1].drop { $0 == " " })
    }
}

/// A response of a simulated provider.
struct ImitationResponse: Sendable {
    /// The status code.
    var status: Int
    /// The fields, without `Content-Type` if the provider sends none.
    var fields = FieldBlock()
    /// The body.
    var body: [UInt8]
    /// The delay before it is sent.
    var delay: Duration?
    /// Whether it rejects a request because of the rate limit.
    var isRefusal = false
    /// Where it ends too early.
    var abort: SandboxBehaviour.Abort?
    /// The slots of limits on concurrent requests that it occupies until it is sent.
    var slots: [StrictLimits.Slot] = []

    /// A response with a body of that type; `nil` omits the type.
    init(_ status: Int, type: String?, body: [UInt8]) {
        self.status = status
        self.body = body
        if let type { fields.append("Content-Type", type) }
    }

    /// A JSON response.
    static func json(_ status: Int, _ value: JSONValue) -> ImitationResponse {
        ImitationResponse(status, type: "application/json", body: value.bytes)
    }

    /// A plain message without a content type.
    static func bareText(_ status: Int, _ text: String) -> ImitationResponse {
        ImitationResponse(status, type: nil, body: Array(text.utf8))
    }

    /// An HTML page.
    static func html(_ status: Int, _ text: String) -> ImitationResponse {
        ImitationResponse(status, type: "text/html; charset=utf-8", body: Array(text.utf8))
    }

    /// A response without a body.
    static func empty(_ status: Int) -> ImitationResponse {
        ImitationResponse(status, type: nil, body: [])
    }

    /// The same response with one more field.
    func with(_ name: String, _ value: String) -> ImitationResponse {
        var copy = self
        copy.fields.append(name, value)
        return copy
    }

    /// The same response after a delay.
    func after(_ delay: Duration?) -> ImitationResponse {
        var copy = self
        copy.delay = delay
        return copy
    }
}

/// Percent-encoding (RFC 3986 2.1), decoded leniently.
enum PercentDecoding {
    /// The decoded text; a `%` without two digits is kept.
    ///
    /// - Parameter plusIsBlank: whether `+` means a space, as in forms.
    static func decode(_ text: Substring, plusIsBlank: Bool = false) -> String {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = pair(rest.prefix(2)) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func pair(_ digits: Substring.UTF8View) -> UInt8? {
        var value: UInt8 = 0
        for digit in digits {
            guard let number = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            value = value << 4 | UInt8(number)
        }
        return digits.count == 2 ? value : nil
    }
}
