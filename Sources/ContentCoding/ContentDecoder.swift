/// Takes content codings (RFC 9110 8.4) off bodies that are small enough to be held in memory.
///
/// No input makes it fail: what cannot be decoded is handed back as it came, and marked. A body that expands
/// without end costs its limit and one buffer.
public enum ContentDecoder {
    /// More codings on one body are a lie or an attack.
    private static let codingLimit = 4

    /// The body without its codings.
    ///
    /// - Parameters:
    ///   - coding: the value of `Content-Encoding`: `gzip`, `x-gzip`, `deflate` (with and without the zlib
    ///     wrapper), `br`, `zstd`, `identity`, or a list of them in the order in which they were applied; their
    ///     case does not matter.
    ///   - limit: how many bytes the result may have, at least 0.
    public static func decode(_ body: [UInt8], coding: String, limit: Int) -> DecodedBody {
        let limit = min(max(limit, 0), Int.max / 2)
        let codings = names(in: coding)
        guard codings.count <= codingLimit, codings.allSatisfy({ Coding($0) != nil }) else {
            return cut(body, limit, isIntact: false)
        }
        var result = DecodedBody(bytes: body, isTruncated: false, isIntact: true)
        for coding in codings.reversed().compactMap(Coding.init) where !result.bytes.isEmpty {
            // What an outer coding lost, the inner one will miss: it says so itself.
            let decoded = coding.decode(result.bytes, limit: limit)
            guard !decoded.bytes.isEmpty || decoded.isIntact else {
                return cut(body, limit, isIntact: false)
            }
            result.bytes = decoded.bytes
            result.isTruncated = result.isTruncated || decoded.isTruncated
            result.isIntact = result.isIntact && decoded.isIntact
        }
        if codings.isEmpty { return cut(body, limit, isIntact: true) }
        return result
    }

    /// Whether all codings of a list can be taken off.
    static func isKnown(_ coding: String) -> Bool { names(in: coding).allSatisfy { Coding($0) != nil } }

    /// The codings of a list that change something, in lower case.
    private static func names(in list: String) -> [String] {
        list.lowercased().split(separator: ",").map { name in
            String(name.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
        }.filter { !$0.isEmpty && $0 != "identity" }
    }

    private static func cut(_ body: [UInt8], _ limit: Int, isIntact: Bool) -> DecodedBody {
        guard body.count > limit else {
            return DecodedBody(bytes: body, isTruncated: false, isIntact: isIntact)
        }
        return DecodedBody(bytes: Array(body[..<limit]), isTruncated: true, isIntact: isIntact)
    }
}

/// A coding that can be taken off.
private enum Coding {
    case gzip
    case deflate
    case brotli
    case zstandard

    private var rawMargin: Int { 64 * 1024 }

    init?(_ name: String) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstandard
        default: return nil
        }
    }

    func decode(_ body: [UInt8], limit: Int) -> DecodedBody {
        switch self {
        case .gzip: return Inflate.decode(body, .gzip, limit: limit)
        case .brotli: return Brotli.decode(body, limit: limit)
        case .zstandard: return Zstandard.decode(body, limit: limit)
        case .deflate:
            // The name means the zlib format (RFC 9110 8.4.1.2), but many send the bare one.
            let wrapped = Inflate.decode(body, .zlib, limit: limit)
            guard wrapped.bytes.isEmpty, !wrapped.isIntact else { return wrapped }
            // The bare one has no mark and no check: almost any bytes begin like it. Only a good end, or
            // more than a mistake would yield, shows that it is.
            var raw = Inflate.decode(body, .raw, limit: limit + rawMargin)
            guard raw.isIntact else { return DecodedBody(bytes: [], isTruncated: false, isIntact: false) }
            if raw.bytes.count > limit {
                raw.bytes.removeSubrange(limit...)
                raw.isTruncated = true
            }
            return raw
        }
    }
}
