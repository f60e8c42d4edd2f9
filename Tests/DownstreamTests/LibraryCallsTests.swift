import TestSupport
import Testing

/// What libmicrohttpd calls to read, write and wait: the archive that is linked must call nothing that is not known here.
@Suite("the calls of the archive of libmicrohttpd", .blocking)
struct LibraryCallsTests {
    /// Bound to a hook by the linker: see `hookedFunctions` in Package.swift.
    private static let hooked: Set = [
        "recv", "send", "sendmsg", "epoll_wait", "epoll_ctl", "gnutls_record_recv", "gnutls_record_send",
        "gnutls_handshake",
    ]
    /// Called, but not by a daemon that is run as Weir runs it.
    private static let unused: Set = [
        // Its own event descriptor between threads, and files.
        "read", "write", "sendfile64", "pread64",
        // Only with a thread of its own.
        "poll", "select",
        // Only with a listening socket of its own.
        "accept4",
        // Of what the hook has received: how much of it GnuTLS still has, and whether it wanted to read or to write.
        "gnutls_record_check_pending", "gnutls_record_get_direction",
        // The end of a session.
        "gnutls_bye", "gnutls_alert_send",
        "epoll_create1",
    ]
    private static let patterns = [
        "recv", "send", "read", "write", "epoll", "poll", "select", "accept", "splice", "uring",
        "gnutls_record", "gnutls_handshake", "gnutls_bye", "gnutls_alert_send",
    ]
    /// Names that only look like a call that moves bytes.
    private static let others = ["pthread_", "gnutls_credentials", "thread_"]

    private static func undefinedSymbols() throws -> Set<String> {
        let compiler = try Subprocess(
            "/usr/bin/env",
            ["sh", "-c", "ls /usr/lib/*/libmicrohttpd.a /usr/lib/libmicrohttpd.a 2>/dev/null"])
        _ = try compiler.waitForExit()
        let archive = try #require(compiler.output.split(separator: "\n").first)
        let process = try Subprocess("/usr/bin/env", ["nm", "--undefined-only", String(archive)])
        #expect(try process.waitForExit() == .code(0))
        return Set(
            process.output.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 && words[0] == "U" ? String(words[1]) : nil
            })
    }

    @Test("every function that moves bytes or waits is a hook, or is known not to be called")
    func moving() throws {
        let symbols = try Self.undefinedSymbols()
        let moving = symbols.filter { symbol in
            Self.patterns.contains { symbol.contains($0) } && !Self.others.contains { symbol.contains($0) }
                && !symbol.hasPrefix("MHD_")
        }
        #expect(Self.hooked.subtracting(moving) == [], "a hook that the library does not call")
        #expect(
            moving.subtracting(Self.hooked).subtracting(Self.unused) == [], "a call that passes by the hooks")
    }
}
