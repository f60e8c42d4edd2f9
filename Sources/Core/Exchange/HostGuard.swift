internal import Wire

/// Keeps web pages from Weir by DNS rebinding; a part of ``PageGuard``.
///
/// A page's name is made to lead to Weir's address, so that the browser takes Weir for the page's own server. The request
/// says so: its `Host` is that name. An address is nobody's name, and `localhost` always this machine: neither can be made to lead elsewhere.
public enum HostGuard {
    /// Whether this `Host`, well-formed as ``RequestInspection`` has it, is none that a web page could have.
    ///
    /// - Parameters:
    ///   - value: the port is of no matter. Nothing at all is allowed: a browser always says a name.
    ///   - names: those that are allowed as well.
    public static func allows(_ value: Span<UInt8>, names: [HostPattern]) -> Bool {
        if value.count == 0 || value[0] == 0x5B { return true }
        var end = 0
        while end < value.count, value[end] != 0x3A { end += 1 }
        let isFullyQualified = end > 1 && value[end - 1] == 0x2E
        let host = value.extracting(0..<(isFullyQualified ? end - 1 : end))
        if isAddress(host) || host.equalsIgnoringCase("localhost") { return true }
        for index in names.indices where names[index].matches(host) { return true }
        return false
    }

    /// Whether `host` is an IPv4 address: four numbers up to 255.
    private static func isAddress(_ host: Span<UInt8>) -> Bool {
        var parts = 1
        var start = 0
        for index in 0...host.count {
            let isEnd = index == host.count
            if !isEnd, host[index].isASCIIDigit { continue }
            guard isEnd || host[index] == 0x2E, index - start <= 3,
                let number = host.extracting(start..<index).decimal, number <= 255
            else { return false }
            if !isEnd { parts += 1 }
            start = index + 1
        }
        return parts == 4
    }
}
