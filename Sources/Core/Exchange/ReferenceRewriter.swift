internal import Wire

/// Turns references to what is below a provider's base URL into references below its mount: an app that follows one stays with Weir, its
/// pacing and its key.
///
/// A reference is resolved against the URI of the request at the provider, as RFC 9110 10.2.2 and RFC 3986 5 have it. One that leads
/// elsewhere at the provider becomes absolute, since the client would resolve it against Weir's address.
public struct ReferenceRewriter: Sendable {
    private let scheme: [UInt8]
    private let origin: [UInt8]
    private let host: [UInt8]
    private let port: Int64
    private let defaultPort: Int64
    private let pathPrefix: [UInt8]
    /// The names of parameters that are left out of a reference below the mount.
    private let hidden: [[UInt8]]

    /// A rewriter of references to `upstream`.
    ///
    /// - Parameter hiding: the names of parameters that a reference below the mount must not have, since Weir adds them.
    public init(upstream: UpstreamURL, hiding hidden: [[UInt8]] = []) {
        scheme = Array(upstream.scheme.rawValue.utf8)
        origin = Array(upstream.origin.utf8)
        var name = upstream.host
        if case .v6? = upstream.address { name = "[\(name)]" }
        host = Array(name.utf8)
        port = Int64(upstream.port)
        defaultPort = Int64(upstream.scheme.defaultPort)
        pathPrefix = Array(upstream.pathPrefix.utf8)
        self.hidden = hidden
    }

    /// Whether the answer's field `name` holds references.
    @inline(__always)
    public static func concerns(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 4: name.equalsIgnoringCase("link")
        case 7: name.equalsIgnoringCase("refresh")
        case 8: name.equalsIgnoringCase("location")
        case 16: name.equalsIgnoringCase("content-location")
        default: false
        }
    }

    /// The value of such a field with its references as the client must resolve them; `nil` if it stays as it is.
    ///
    /// - Parameters:
    ///   - target: of the request as the provider got it.
    ///   - mount: without a slash at the end; empty where every path is the provider's.
    public func rewritten(
        _ name: Span<UInt8>, _ value: Span<UInt8>, target: Span<UInt8>, mount: Span<UInt8>
    ) -> [UInt8]? {
        let base = Base(target: target, mount: mount)
        switch name.count {
        case 4: return rewriteLinks(value, base)
        case 7: return rewriteRefresh(value, base)
        default: return resolved(value.extracting(value.trimmedRange), base)
        }
    }

    /// What references are resolved against, and where they are to lead.
    private struct Base {
        var path: [UInt8] = []
        var mount: [UInt8] = []

        init(target: Span<UInt8>, mount: Span<UInt8>) {
            var end = 0
            while end < target.count, target[end] != 0x3F { end += 1 }
            path.append(target.extracting(0..<end))
            self.mount.append(mount)
        }
    }

    /// `<reference>; parameters, …` (RFC 8288 3): what stands between the brackets outside of quotes, and the value of `anchor`.
    private func rewriteLinks(_ value: Span<UInt8>, _ base: Base) -> [UInt8]? {
        var result: [UInt8] = []
        var hasChanged = false
        var index = 0
        // Whether a parameter's name may begin here: behind a semicolon and blanks.
        var beginsParameter = false
        while index < value.count {
            let byte = value[index]
            var part = index..<index + 1
            var reference: Span<UInt8>?
            if byte == 0x3C {
                part = index + 1..<min(value.index(of: 0x3E, from: index + 1), value.count)
                reference = value.extracting(part)
            } else if byte == 0x22 {
                part = index..<Self.quotedEnd(value, from: index)
            } else if beginsParameter, let start = Self.anchorValue(value, at: index) {
                part = start..<Self.parameterEnd(value, from: start)
                reference = value.extracting(part)
                if start < value.count, value[start] == 0x22 {
                    part = start + 1..<max(start + 1, Self.quotedEnd(value, from: start) - 1)
                    reference = value.extracting(part)
                }
            }
            beginsParameter = byte == 0x3B || beginsParameter && byte.isBlank
            guard let reference else {
                result.append(value.extracting(part))
                index = part.upperBound
                continue
            }
            result.append(value.extracting(index..<part.lowerBound))
            if let rewritten = resolved(reference.extracting(reference.trimmedRange), base) {
                result += rewritten
                hasChanged = true
            } else {
                result.append(reference)
            }
            index = part.upperBound
            if index < value.count, value[index] == 0x22 || value[index] == 0x3E {
                result.append(value[index])
                index += 1
            }
        }
        return hasChanged ? result : nil
    }

    /// Where the quoted text that begins at `start` ends, its closing quote included.
    private static func quotedEnd(_ value: Span<UInt8>, from start: Int) -> Int {
        var index = start + 1
        while index < value.count, value[index] != 0x22 { index += value[index] == 0x5C ? 2 : 1 }
        return min(index + 1, value.count)
    }

    /// Where a value without quotes ends.
    private static func parameterEnd(_ value: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < value.count, value[index] != 0x3B, value[index] != 0x2C, !value[index].isBlank {
            index += 1
        }
        return index
    }

    /// Where the value of the parameter `anchor` begins, if that is the parameter whose name begins at `index`.
    private static func anchorValue(_ value: Span<UInt8>, at index: Int) -> Int? {
        guard value.extracting(index..<value.count).startsIgnoringCase(with: "anchor") else { return nil }
        var end = index + 6
        while end < value.count, value[end].isBlank { end += 1 }
        guard end < value.count, value[end] == 0x3D else { return nil }
        end += 1
        while end < value.count, value[end].isBlank { end += 1 }
        return end
    }

    /// `5; url=reference`, perhaps in quotes, as browsers read it.
    private func rewriteRefresh(_ value: Span<UInt8>, _ base: Base) -> [UInt8]? {
        var start = 0
        while start < value.count, value[start] != 0x3D { start += 1 }
        let name = value.extracting(0..<start)
        let words = name.extracting(0..<name.trimmedRange.upperBound)
        guard words.count >= 3, start < value.count,
            words.extracting(words.count - 3..<words.count).equalsIgnoringCase("url")
        else { return nil }
        start += 1
        while start < value.count, value[start].isBlank { start += 1 }
        var end = value.trimmedRange.upperBound
        if start < end, value[start] == 0x22 || value[start] == 0x27 {
            let quote = value[start]
            start += 1
            var index = start
            while index < end, value[index] != quote { index += 1 }
            end = index
        }
        guard start <= end, let reference = resolved(value.extracting(start..<end), base) else { return nil }
        var result: [UInt8] = []
        result.append(value.extracting(0..<start))
        result += reference
        result.append(value.extracting(end..<value.count))
        return result
    }

    // MARK: One reference

    /// The reference as a client of Weir must resolve it; `nil` if it is that already.
    private func resolved(_ reference: Span<UInt8>, _ base: Base) -> [UInt8]? {
        // The same document.
        guard reference.count > 0, reference[0] != 0x23 else { return nil }
        if let colon = Self.schemeEnd(of: reference) {
            guard reference.extracting(0..<colon).equalsIgnoringCase(scheme.span),
                colon + 2 < reference.count, reference[colon + 1] == 0x2F, reference[colon + 2] == 0x2F
            else { return nil }
            return hierarchy(reference.extracting(colon + 3..<reference.count), base)
        }
        if reference.count > 1, reference[0] == 0x2F, reference[1] == 0x2F {
            if let below = hierarchy(reference.extracting(2..<reference.count), base) { return below }
            var absolute = scheme
            absolute.append(0x3A)
            absolute.append(reference)
            return absolute
        }
        var path: [UInt8] = []
        var end = 0
        while end < reference.count, reference[end] != 0x3F, reference[end] != 0x23 { end += 1 }
        if end == 0 {
            path = base.path
        } else {
            if reference[0] != 0x2F, let slash = base.path.lastIndex(of: 0x2F) {
                path += base.path[...slash]
            }
            path.append(reference.extracting(0..<end))
        }
        let rest = reference.extracting(end..<reference.count)
        if let below = below(path, rest, base) {
            return below == clientReading(of: reference, pathEnd: end, base) ? nil : below
        }
        var absolute = origin
        absolute += Self.withoutDotSegments(path)
        absolute.append(rest)
        return absolute
    }

    /// What a client makes of a reference without a host, whose path ends at `end`: it resolves it against its own request.
    private func clientReading(of reference: Span<UInt8>, pathEnd end: Int, _ base: Base) -> [UInt8]? {
        var path: [UInt8] = []
        if end == 0 || reference[0] != 0x2F {
            guard base.path.starts(with: pathPrefix) else { return nil }
            path = base.mount + base.path[pathPrefix.count...]
            if path.isEmpty { path.append(0x2F) }
            if end > 0, let slash = path.lastIndex(of: 0x2F) { path.removeSubrange((slash + 1)...) }
        }
        path.append(reference.extracting(0..<end))
        var result = end == 0 ? path : Self.withoutDotSegments(path)
        // As ``below(_:_:_:)`` has it.
        if reference[0] == 0x5C, base.mount.isEmpty, result.starts(with: [0x2F, 0x5C]) {
            result = [0x2F, 0x2E] + result
        }
        result.append(reference.extracting(end..<reference.count))
        return result
    }

    /// What stands behind `//`; `nil` if that is not below the upstream.
    private func hierarchy(_ text: Span<UInt8>, _ base: Base) -> [UInt8]? {
        var end = 0
        while end < text.count, text[end] != 0x2F, text[end] != 0x3F, text[end] != 0x23, text[end] != 0x5C {
            end += 1
        }
        guard isOwn(authority: text.extracting(0..<end)) else { return nil }
        var pathEnd = end
        while pathEnd < text.count, text[pathEnd] != 0x3F, text[pathEnd] != 0x23 { pathEnd += 1 }
        var path: [UInt8] = []
        path.append(text.extracting(end..<pathEnd))
        return below(path, text.extracting(pathEnd..<text.count), base)
    }

    /// The reference below the mount; `nil` if the path is not below the upstream's.
    private func below(_ path: [UInt8], _ rest: Span<UInt8>, _ base: Base) -> [UInt8]? {
        let path = Self.withoutDotSegments(path)
        guard path.starts(with: pathPrefix), path.count == pathPrefix.count || path[pathPrefix.count] == 0x2F
        else { return nil }
        var result = base.mount
        let tail = path[pathPrefix.count...]
        if base.mount.isEmpty {
            // A reference that begins with two slashes would name a host.
            if tail.isEmpty { result.append(0x2F) }
            if tail.starts(with: [0x2F, 0x2F]) || tail.starts(with: [0x2F, 0x5C]) {
                result += [0x2F, 0x2E]
            }
        }
        result += tail
        result.append(rest)
        QueryParameters.remove(hidden, from: &result)
        return result
    }

    /// Whether an authority is the upstream's, whatever its spelling: user, case, a dot at the end, the port that goes without saying.
    private func isOwn(authority: Span<UInt8>) -> Bool {
        var start = 0
        for index in 0..<authority.count where authority[index] == 0x40 { start = index + 1 }
        var end = start
        if end < authority.count, authority[end] == 0x5B {
            while end < authority.count, authority[end] != 0x5D { end += 1 }
            end = min(end + 1, authority.count)
        } else {
            while end < authority.count, authority[end] != 0x3A { end += 1 }
        }
        var port = defaultPort
        if end < authority.count {
            let digits = authority.extracting(end + 1..<authority.count)
            guard authority[end] == 0x3A, digits.count == 0 || digits.decimal != nil else { return false }
            port = digits.decimal ?? port
        }
        guard port == self.port else { return false }
        let name = authority.extracting(start..<end)
        if name.equalsIgnoringCase(host.span) { return true }
        if name.count == host.count + 1, name[name.count - 1] == 0x2E {
            return name.extracting(0..<host.count).equalsIgnoringCase(host.span)
        }
        guard name.count > 2, name[0] == 0x5B, host.first == 0x5B else { return false }
        return IPAddress(parsing: name.extracting(1..<name.count - 1).string)
            == IPAddress(parsing: host.span.extracting(1..<host.count - 1).string)
    }

    /// Where the scheme of a reference ends: the place of the colon behind it; `nil` for a relative one.
    private static func schemeEnd(of reference: Span<UInt8>) -> Int? {
        guard reference.count > 0, reference[0].isASCIILetter else { return nil }
        var index = 0
        while index < reference.count {
            let byte = reference[index]
            if byte == 0x3A { return index }
            guard byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2B || byte == 0x2D || byte == 0x2E
            else { return nil }
            index += 1
        }
        return nil
    }

    /// An absolute path without its segments `.` and `..` (RFC 3986 5.2.4), spelled with `%2e` or not.
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        guard !path.isEmpty else { return path }
        var result: [UInt8] = []
        var index = path.first == 0x2F ? 1 : 0
        while true {
            let end = path[index...].firstIndex(of: 0x2F) ?? path.count
            let isLast = end == path.count
            switch dots(path[index..<end]) {
            case 1: if isLast { result.append(0x2F) }
            case 2:
                if let slash = result.lastIndex(of: 0x2F) { result.removeSubrange(slash...) }
                if isLast { result.append(0x2F) }
            default:
                result.append(0x2F)
                result += path[index..<end]
            }
            if isLast { return result }
            index = end + 1
        }
    }

    /// How many dots a segment is made of, if it is made of nothing else; else 0.
    private static func dots(_ segment: ArraySlice<UInt8>) -> Int {
        guard segment.count <= 6 else { return 0 }
        let name = PercentEncoding.decoded(segment.span)
        return name == [0x2E] ? 1 : name == [0x2E, 0x2E] ? 2 : 0
    }
}
