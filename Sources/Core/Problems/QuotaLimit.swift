internal import Wire

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
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(literal: #"{"requests":"#)
        JSONWriter.integer(requests, into: &output)
        output.append(literal: #","per":"#)
        JSONWriter.seconds(per, into: &output)
        if let remaining {
            output.append(literal: #","remaining":"#)
            JSONWriter.integer(remaining, into: &output)
        }
        output.append(literal: #","by":""#)
        output.append(by.name.utf8.span)
        output.append(literal: #""}"#)
    }
}
