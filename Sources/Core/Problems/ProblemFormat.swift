/// How problems are written: the constant parts of each code, made once.
public struct ProblemFormat: Sendable {
    /// The names of the problem's own members: a profile can keep none of them.
    public static let memberNames: [String] = [
        "type", "title", "status", "detail", "instance", "code", "origin", "provider", "retryable",
        "retry_after",
        "effect", "fields", "limit", "upstream", "attempts", "waited", "request_id", "mapped",
    ]

    /// `{"type":…,"title":…,"status":` of each code.
    let heads: [[UInt8]]
    /// `","code":…,"origin":…` of each code, behind the instance.
    let kinds: [[UInt8]]
    /// The code's own detail, as a JSON string.
    let details: [[UInt8]]

    /// A format whose types are `<typeBase>/<code>`.
    ///
    /// - Parameter typeBase: a URI or an absolute path; a slash at its end does not count.
    public init(typeBase: String = "/-/errors") {
        var base = typeBase
        while base.hasSuffix("/") { base.removeLast() }
        var heads: [[UInt8]] = []
        var kinds: [[UInt8]] = []
        var details: [[UInt8]] = []
        for code in ProblemCode.allCases {
            var head = Array(#"{"type":"#.utf8)
            JSONWriter.string("\(base)/\(code.name)", into: &head)
            head += Array(#","title":"#.utf8)
            JSONWriter.string(code.title, into: &head)
            head += Array(#","status":"#.utf8)
            heads.append(head)
            kinds.append(Array(#"","code":"\#(code.name)","origin":"\#(code.origin.rawValue)""#.utf8))
            var detail: [UInt8] = []
            JSONWriter.string(code.detail, into: &detail)
            details.append(detail)
        }
        self.heads = heads
        self.kinds = kinds
        self.details = details
    }
}
