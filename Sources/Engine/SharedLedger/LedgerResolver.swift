internal import Loop
internal import Glibc

/// Looks names up.
enum LedgerResolver {
    /// Posts the addresses of `host` to `mailbox`, from a thread of its own: getaddrinfo() blocks for as long as it likes, and cannot be
    /// cancelled.
    ///
    /// The thread is not joined, so that a program that ends need not wait for it; it holds nothing but the mailbox.
    ///
    /// - Returns: false if there is no thread to be had; nothing is posted then.
    static func resolve(_ host: String, for mailbox: Mailbox<WorkerMessage>) -> Bool {
        let thread = try? LoopThread(name: "weir-resolver") {
            mailbox.post(.ledger(.addresses(lookUp(host, flags: AI_ADDRCONFIG))))
        }
        thread?.detach()
        return thread != nil
    }

    /// Whether nothing has to be looked up.
    static func isNumeric(_ host: String) -> Bool { !lookUp(host, flags: AI_NUMERICHOST).isEmpty }

    private static func lookUp(_ host: String, flags: Int32) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &found) == 0, let first = unsafe found else { return [] }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [String] = []
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                NI_NUMERICHOST)
            if status == 0 {
                addresses.append(
                    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }
}
