internal import Wire

/// What becomes of a head with more fields than are kept.
extension ResponseHead {
    /// Bytes of the fields that are kept, as ``limit`` counts them.
    var keptBytes: Int { fields.byteCount + 4 * fields.count }

    /// Makes room for so many bytes, where nothing but what is less needed has to give way.
    ///
    /// - Returns: whether there is room.
    func makeRoom(for size: Int, isEssential: Bool) -> Bool {
        if size <= limit - keptBytes { return true }
        guard isEssential, size <= limit - essentialBytes else { return false }
        // More than is needed now: each time, all fields are moved.
        dropInessential(above: max(0, limit - essentialBytes - max(size, limit / 4)))
        return true
    }

    /// Keeps the first of the fields that are not essential, up to so many bytes of them.
    private func dropInessential(above most: Int) {
        var kept = FieldBlock()
        var bytes = 0
        kept.append(fields) { name, value in
            if Self.isEssential(name) { return true }
            bytes += name.count + value.count + 4
            if bytes > most { noteDropped() }
            return bytes <= most
        }
        fields = kept
    }

    /// Whether a head without this field would be another answer: where it leads, what was wrong, what its body is, who may keep it.
    ///
    /// `Connection` names fields that must not cross.
    static func isEssential(_ name: borrowing Span<UInt8>) -> Bool {
        switch name.count {
        case 3: name.equalsIgnoringCase("age")
        case 4:
            name.equalsIgnoringCase("date") || name.equalsIgnoringCase("etag")
                || name.equalsIgnoringCase("vary")
        case 5: name.equalsIgnoringCase("allow")
        case 7: name.equalsIgnoringCase("expires") || name.equalsIgnoringCase("trailer")
        case 8: name.equalsIgnoringCase("location")
        case 9: name.equalsIgnoringCase("ratelimit")
        case 10: name.equalsIgnoringCase("connection") || name.equalsIgnoringCase("request-id")
        case 11: name.equalsIgnoringCase("retry-after")
        case 12: name.equalsIgnoringCase("x-request-id") || namesContent(name)
        case 13:
            name.equalsIgnoringCase("cache-control") || name.equalsIgnoringCase("last-modified")
                || name.equalsIgnoringCase("accept-ranges") || namesContent(name)
        case 16: name.equalsIgnoringCase("www-authenticate") || namesContent(name) || isRateLimit(name)
        case 17: name.equalsIgnoringCase("transfer-encoding") || isRateLimit(name)
        default: namesContent(name) || isRateLimit(name)
        }
    }

    /// `Content-Type`, `Content-Encoding` and so on; a policy for browsers is as long as it likes.
    private static func namesContent(_ name: borrowing Span<UInt8>) -> Bool {
        name.startsIgnoringCase(with: "content-") && !name.startsIgnoringCase(with: "content-security-policy")
    }

    private static func isRateLimit(_ name: borrowing Span<UInt8>) -> Bool {
        name.startsIgnoringCase(with: "ratelimit-") || name.startsIgnoringCase(with: "x-ratelimit-")
            || name.startsIgnoringCase(with: "x-rate-limit-")
    }

    /// Takes a line of which only the beginning was kept, since all of it is longer than ``limit``.
    ///
    /// - Parameter length: how long all of it is.
    package func takeLong(_ beginning: borrowing Span<UInt8>, length: Int) -> Progress {
        countBytes(length)
        guard byteCount <= Self.byteLimit, status > 0 else { return .invalid(.headTooLarge) }
        if beginning[0].isBlank {
            if !lastFieldIsDropped { dropLastField() }
            return .more
        }
        guard let colon = Self.colon(of: beginning) else { return .invalid(.badHead) }
        let name = beginning.extracting(0..<colon)
        // What frames the message is never so long, unless two readers are to read it differently.
        guard !name.equalsIgnoringCase("content-length"), !name.equalsIgnoringCase("transfer-encoding") else {
            return .invalid(.badHead)
        }
        if name.equalsIgnoringCase("connection") { endConnection() }
        noteLongField()
        return .more
    }
}
