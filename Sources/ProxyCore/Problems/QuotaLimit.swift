/// The limit that stopped a request: so many requests in so many seconds.
public struct QuotaLimit: Sendable, Hashable {
    /// How many requests are allowed.
    public var requests: Int
    /// In how many seconds.
    public var per: Double
    /// How many are left.
    public var remaining: Int?
    /// Who shares it.
    public var by: LimitScope

    /// A limit.
    public init(requests: Int, per: Double, remaining: Int?, by: LimitScope) {
        self.requests = requests
        self.per = per
        self.remaining = remaining
        self.by = by
    }

    /// Writes the object `{"requests":…,"per":…,"remaining":…,"by":…}`.
    func encode(into output: inout [UInt8]) {
        output.append(contentsOf: #"{"requests":"#.utf8)
        JSONWriter.integer(requests, into: &output)
        output.append(contentsOf: #","per":"#.utf8)
        JSONWriter.seconds(per, into: &output)
        if let remaining {
            output.append(contentsOf: #","remaining":"#.utf8)
            JSONWriter.integer(remaining, into: &output)
        }
        output.append(contentsOf: #","by":""#.utf8)
        output.append(contentsOf: by.rawValue.utf8)
        output.append(contentsOf: #""}"#.utf8)
    }
}
