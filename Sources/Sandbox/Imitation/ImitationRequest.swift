internal import Wire
internal import Core

/// A request as an imitation sees it: behind its mount, complete, with the time at which it came.
struct ImitationRequest: Sendable {
    /// The method, as sent.
    var method: String
    /// The path behind the mount, as sent, without the query.
    var path: String
    /// What follows the `?`, as sent.
    var query: String
    /// The request's fields.
    var fields: FieldBlock
    /// The whole body.
    let body: [UInt8]
    /// The body as JSON; `null` if it is none.
    let json: JSONValue
    /// When it came.
    var arrival: Moment
    /// The steps of the path that a route's `*` stands for, in order; set by the one that routes.
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

    /// The decoded steps of the path; a slash at the end means nothing.
    var steps: [String] {
        path.split(separator: "/").map { PercentDecoding.decode($0) }
    }

    /// The first value of a field, whose name's case does not matter.
    func field(_ name: String) -> String? { fields.first(name) }

    /// The step that the route's `*` number `index` stands for.
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

    /// The credential of the authentication scheme `scheme` (lower case), whose own case does not matter.
    func credential(_ scheme: String) -> String? {
        guard let value = field("Authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == scheme else { return nil }
        return String(parts[1].drop { $0 == " " })
    }
}
