/// The statuses of providers that have a series of their own, and one rest per class for all others.
///
/// A label for each number that a provider may invent would be unbounded in practice: a broken one can answer
/// with anything. The list has the statuses of RFC 9110 that an API sends, and those of a CDN before it.
enum UpstreamStatusLabels {
    private static let statuses: [Int] = [
        200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
        410,
        411, 412, 413, 414, 415, 416, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503,
        504,
        520, 521, 522, 523, 524, 525, 526, 529, 530,
    ]
    private static let rests = ["other_2xx", "other_3xx", "other_4xx", "other_5xx", "other"]

    /// How many places there are: a constant, because the data path multiplies by it.
    static let count = 56

    /// The label of each place.
    static let labels: [String] = statuses.map(String.init) + rests

    /// The place of each status from 0 to 599; whatever is beyond has the last place, ``other``.
    static let places: [UInt8] = (0..<600).map { status in
        if let listed = statuses.firstIndex(of: status) { return UInt8(listed) }
        let rest = status < 200 ? rests.count - 1 : status / 100 - 2
        return UInt8(statuses.count + rest)
    }
}
