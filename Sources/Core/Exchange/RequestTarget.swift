internal import Wire

/// Where in a request target (RFC 9112 3.2) the path begins, once it is found fit to be forwarded.
public enum RequestTarget {
    /// The offset of the path in `target`: 0 for the origin form, behind the authority for the absolute form.
    ///
    /// `nil` if the target is refused, or if it is the server itself, which `inspection` then says: Weir is no open proxy, and forwards no
    /// byte that has no place in a target. What is allowed is forwarded byte for byte.
    ///
    /// - Parameter isHost: whether an authority is what the field Host says; asked for the absolute form alone.
    public static func pathOffset(
        in target: Span<UInt8>, _ inspection: inout RequestInspection, isHost: (Span<UInt8>) -> Bool
    ) -> Int? {
        for index in 0..<target.count {
            let byte = target[index]
            if byte <= 0x20 || byte == 0x7F || byte == 0x23 {
                inspection.refuseTarget("The request target has a byte that is not allowed in one.")
                return nil
            }
        }
        if target.count > 0, target[0] == 0x2F { return 0 }
        if target.equals("*"), inspection.takeServerTarget() { return nil }
        guard let authority = authorityRange(in: target) else {
            inspection.refuseTarget("The request target must be a path.")
            return nil
        }
        guard isHost(target.extracting(authority)) else {
            inspection.refuseTarget("The request target names another host: this is no open proxy.")
            return nil
        }
        // RFC 9112 3.2.4: without a path and a query, it stands for `*`.
        if authority.upperBound == target.count, inspection.takeServerTarget() { return nil }
        guard authority.upperBound < target.count, target[authority.upperBound] == 0x2F else {
            inspection.refuseTarget("The request target must have a path.")
            return nil
        }
        return authority.upperBound
    }

    /// Whether the path in front of a query has a segment that means this one, or the one above it (RFC 3986 3.3).
    ///
    /// As providers may read it: percent-encoded, also more than once; between backslashes or encoded slashes; in front of parameters
    /// (`..;x`), which some drop; with a blank, a NUL or an encoded `?` behind it; and as the overlong UTF-8 that some decoders accept.
    public static func hasDotSegments(_ target: Span<UInt8>) -> Bool {
        var end = 0
        var mayHaveDots = false
        while end < target.count, target[end] != 0x3F {
            if target[end] == 0x25 || target[end] == 0x2E && end > 0 && isSegmentEnd(target[end - 1]) {
                mayHaveDots = true
            }
            end += 1
        }
        guard mayHaveDots else { return false }
        let path = PercentEncoding.fullyDecoded(target.extracting(0..<end))
        return path.split(omittingEmptySubsequences: true, whereSeparator: isSegmentEnd).contains {
            let name = $0.prefix { $0 > 0x20 && $0 != 0x3B && $0 != 0x3F && $0 != 0x23 }
            return name.elementsEqual([0x2E]) || name.elementsEqual([0x2E, 0x2E]) || isOverlong(name)
        }
    }

    private static func isSegmentEnd(_ byte: UInt8) -> Bool { byte == 0x2F || byte == 0x5C }

    /// Whether these are dots, at least one of them in two bytes instead of one; or contain such a slash.
    private static func isOverlong(_ name: ArraySlice<UInt8>) -> Bool {
        guard let start = name.firstIndex(of: 0xC0) else { return false }
        let next = name.index(after: start)
        return next < name.endIndex && (name[next] == 0xAE || name[next] == 0xAF || name[next] == 0xDC)
    }

    private static func authorityRange(in target: Span<UInt8>) -> Range<Int>? {
        let scheme =
            target.startsIgnoringCase(with: "http://")
            ? 7 : target.startsIgnoringCase(with: "https://") ? 8 : 0
        guard scheme > 0 else { return nil }
        var end = scheme
        while end < target.count, target[end] != 0x2F, target[end] != 0x3F { end += 1 }
        return end > scheme ? scheme..<end : nil
    }
}

/// The parameters of a query: split before anything is decoded, at `&` and at `;`, which some providers read as well.
enum QueryParameters {
    /// Calls `body` with each parameter of the query of `target`, up to a fragment: where it lies, and where its name ends.
    static func forEach(
        in target: Span<UInt8>, _ body: (_ parameter: Range<Int>, _ nameEnd: Int) -> Void
    ) {
        var start = 0
        while start < target.count, target[start] != 0x3F {
            if target[start] == 0x23 { return }
            start += 1
        }
        while start < target.count, target[start] != 0x23 {
            start += 1
            var end = start
            var nameEnd: Int?
            while end < target.count, target[end] != 0x26, target[end] != 0x3B, target[end] != 0x23 {
                if target[end] == 0x3D, nameEnd == nil { nameEnd = end }
                end += 1
            }
            if end > start { body(start..<end, nameEnd ?? end) }
            start = end
        }
    }

    /// The value of the first parameter called `name`, or `nil`.
    static func first(_ name: [UInt8], in target: Span<UInt8>) -> [UInt8]? {
        var found: [UInt8]?
        forEach(in: target) { parameter, nameEnd in
            guard found == nil, isName(name, target.extracting(parameter.lowerBound..<nameEnd)) else {
                return
            }
            let start = min(nameEnd + 1, parameter.upperBound)
            found = decoded(target.extracting(start..<parameter.upperBound))
        }
        return found
    }

    /// Removes the parameters with one of these names, but for the first of each if `keepsFirst`.
    static func remove(_ names: [[UInt8]], keepsFirst: Bool = false, from target: inout [UInt8]) {
        guard !names.isEmpty, target.contains(0x3F) else { return }
        var removed: [Range<Int>] = []
        var seen: Set<[UInt8]> = []
        let bytes = target
        forEach(in: bytes.span) { parameter, nameEnd in
            let name = bytes.span.extracting(parameter.lowerBound..<nameEnd)
            for candidate in names where isName(candidate, name) {
                if keepsFirst, seen.insert(candidate).inserted { return }
                return removed.append(parameter)
            }
        }
        guard !removed.isEmpty else { return }
        target.removeAll(keepingCapacity: true)
        var start = 0
        for parameter in removed {
            target += bytes[start..<parameter.lowerBound]
            start = parameter.upperBound
            // With a parameter goes the separator behind it, or else the one before it.
            if start < bytes.count, bytes[start] != 0x23 {
                start += 1
            } else if let last = target.last, last == 0x26 || last == 0x3B || last == 0x3F {
                target.removeLast()
            }
        }
        target += bytes[start...]
        if target.last == 0x26 || target.last == 0x3B { target.removeLast() }
        if target.last == 0x3F, bytes.last != 0x3F { target.removeLast() }
    }

    /// Whether `encoded`, undone, is `name`.
    private static func isName(_ name: [UInt8], _ encoded: Span<UInt8>) -> Bool {
        // No escape makes a name shorter than it is.
        guard encoded.count >= name.count else { return false }
        if encoded.equals(name.span) { return true }
        return encoded.count > name.count && decoded(encoded) == name
    }

    /// The bytes that a name or a value spells: `+` is a blank.
    private static func decoded(_ text: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in 0..<text.count { bytes.append(text[index] == 0x2B ? 0x20 : text[index]) }
        return PercentEncoding.decoded(bytes.span)
    }
}

/// The names that a query parameter may have in a configuration: what separates, ends or escapes one is refused, since Weir would send or
/// compare another name than the user wrote.
public enum QueryParameterName {
    /// What is allowed, for a mistake.
    public static let rule = "the name of a query parameter has letters, digits and - . _ ~ [ ] $ : @ only"

    private static let allowed = ASCIISet(alphanumericsAnd: "-._~[]$:@")
    private static let unescaped = ASCIISet(alphanumericsAnd: "-._~$:@")

    /// Whether a parameter may be called `name`.
    public static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { allowed.contains($0) }
    }

    /// The name as it is written in a URI.
    static func encoded(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        PercentEncoding.encode(Array(name.utf8).span, keeping: unescaped, into: &bytes)
        return bytes
    }
}
