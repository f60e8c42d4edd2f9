internal import HTTPWire

/// Turns references to the provider's own address into references below its mount: an app that follows one stays with Weir, its
/// pacing and its key.
public struct ReferenceRewriter: Sendable {
    private let scheme: [UInt8]
    /// Host and port in lower case: as they are usually spelled, and with the port that goes without saying.
    private let authorities: [[UInt8]]
    private let pathPrefix: [UInt8]

    /// A rewriter of references to `upstream`.
    public init(upstream: UpstreamURL) {
        scheme = Array("\(upstream.scheme.rawValue)://".utf8)
        var spellings = [upstream.authority]
        if upstream.port == upstream.scheme.defaultPort {
            spellings.append("\(upstream.authority):\(upstream.port)")
        }
        authorities = spellings.map { Array($0.lowercased().utf8) }
        pathPrefix = Array(upstream.pathPrefix.utf8)
    }

    /// Whether the answer's field `name` holds references.
    @inline(__always)
    public static func concerns(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 4: name.equalsIgnoringCase("link")
        case 8: name.equalsIgnoringCase("location")
        case 16: name.equalsIgnoringCase("content-location")
        default: false
        }
    }

    /// The value of such a field with its references below `mount`; `nil` if none of them is to the provider's address.
    ///
    /// - Parameter mount: without a slash at the end; empty where every path is the provider's.
    public func rewritten(_ name: Span<UInt8>, _ value: Span<UInt8>, mount: Span<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        if name.count != 4 {
            guard let rest = restOffset(in: value) else { return nil }
            append(value.extracting(rest..<value.count), behind: mount, to: &result)
            return result
        }
        return rewriteLinks(value, mount: mount, into: &result) ? result : nil
    }

    /// `<reference>; parameters, …` (RFC 8288 3): what stands between the brackets outside of quotes.
    private func rewriteLinks(_ value: Span<UInt8>, mount: Span<UInt8>, into result: inout [UInt8]) -> Bool {
        var hasChanged = false
        var isQuoted = false
        var index = 0
        while index < value.count {
            let byte = value[index]
            result.append(byte)
            index += 1
            if isQuoted, byte == 0x5C, index < value.count {
                result.append(value[index])
                index += 1
            } else if byte == 0x22 {
                isQuoted.toggle()
            } else if byte == 0x3C, !isQuoted {
                var end = index
                while end < value.count, value[end] != 0x3E { end += 1 }
                let reference = value.extracting(index..<end)
                if let rest = restOffset(in: reference) {
                    append(reference.extracting(rest..<reference.count), behind: mount, to: &result)
                    hasChanged = true
                } else {
                    result.append(reference)
                }
                index = end
            }
        }
        return hasChanged
    }

    private func append(_ rest: Span<UInt8>, behind mount: Span<UInt8>, to result: inout [UInt8]) {
        result.append(mount)
        // A reference that begins with two slashes would name a host.
        if mount.count == 0, rest.count == 0 || rest[0] != 0x2F { result.append(0x2F) }
        if mount.count == 0, rest.count > 1, rest[0] == 0x2F, rest[1] == 0x2F { result += [0x2F, 0x2E] }
        result.append(rest)
    }

    /// Where in a reference to the provider's address begins what follows the upstream's own path.
    private func restOffset(in reference: Span<UInt8>) -> Int? {
        guard startsIgnoringCase(reference, with: scheme) else { return nil }
        let behind = reference.extracting(scheme.count..<reference.count)
        for authority in authorities where startsIgnoringCase(behind, with: authority) {
            let end = authority.count + pathPrefix.count
            guard behind.count >= end, isEnd(behind, at: end) else { continue }
            let path = behind.extracting(authority.count..<end)
            if (0..<path.count).allSatisfy({ path[$0] == pathPrefix[$0] }) { return scheme.count + end }
        }
        return nil
    }

    /// Whether a path segment, or an authority, ends at `index`.
    private func isEnd(_ text: Span<UInt8>, at index: Int) -> Bool {
        index == text.count || text[index] == 0x2F || text[index] == 0x3F || text[index] == 0x23
    }

    private func startsIgnoringCase(_ text: Span<UInt8>, with start: [UInt8]) -> Bool {
        text.count >= start.count && text.extracting(0..<start.count).equalsIgnoringCase(start.span)
    }
}
