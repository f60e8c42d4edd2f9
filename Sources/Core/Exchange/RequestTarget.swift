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
