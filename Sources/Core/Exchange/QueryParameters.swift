internal import Wire

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
