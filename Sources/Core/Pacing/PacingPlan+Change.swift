extension PacingPlan {
    /// For each limit, that of `former` which counts the same requests, perhaps with other numbers; nil where
    /// there is none.
    public func origins(in former: PacingPlan) -> [Int?] {
        Self.match(limits.indices, former.limits.indices) { new, old, isExact in
            let (limit, other) = (limits[new], former.limits[old])
            return limit.by == other.by && limit.span == other.span && limit.routes == other.routes
                && windows[new].scope == former.windows[old].scope
                && (!isExact || limit.per == other.per)
        }
    }

    /// Whether requests that were counted by `former` are counted by these limits as well, so that these can
    /// take its place at once.
    ///
    /// A limit that is new can begin with what others of the same key remember. The key of another scope is not
    /// known of what is under way, nor is the end of what nobody counted at the same time. Where there was no
    /// limit nothing is known, as at a start.
    public func canFollow(_ former: PacingPlan) -> Bool {
        zip(limits, origins(in: former)).allSatisfy { limit, origin in
            origin != nil
                || (limit.span != .concurrent && (former.limits.isEmpty || limit.by == limits[0].by))
        }
    }

    /// Pairs each of `new` with one of `old`; exact pairs come first.
    static func match(
        _ new: Range<Int>, _ old: Range<Int>, _ isPair: (_ new: Int, _ old: Int, _ isExact: Bool) -> Bool
    ) -> [Int?] {
        var left = Array(old)
        var pairs = [Int?](repeating: nil, count: new.count)
        for isExact in [true, false] {
            for index in new where pairs[index] == nil {
                guard let place = left.firstIndex(where: { isPair(index, $0, isExact) }) else { continue }
                pairs[index] = left.remove(at: place)
            }
        }
        return pairs
    }
}
