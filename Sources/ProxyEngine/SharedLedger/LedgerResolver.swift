internal import EventLoop
internal import Glibc

/// Looks a name up on a thread of its own: that blocks.
final class LedgerResolver {
    private let thread: LoopThread

    /// Posts the answer to `mailbox`; nil if no thread can be had.
    init?(host: String, mailbox: Mailbox<WorkerMessage>) {
        let thread = try? LoopThread(name: "weir-resolver") {
            mailbox.post(.ledger(.address(Self.address(of: host))))
        }
        guard let thread else { return nil }
        self.thread = thread
    }

    /// Waits for the end of the thread, which has posted its answer.
    func join() { thread.join() }

    /// Whether nothing has to be looked up.
    static func isNumeric(_ host: String) -> Bool { lookUp(host, flags: AI_NUMERICHOST) != nil }

    private static func address(of host: String) -> String? { lookUp(host, flags: AI_ADDRCONFIG) }

    private static func lookUp(_ host: String, flags: Int32) -> String? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &found) == 0, let first = unsafe found else { return nil }
        defer { unsafe freeaddrinfo(first) }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = unsafe getnameinfo(
            first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
            NI_NUMERICHOST)
        guard status == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
