import TestSupport
import Testing

/// The program defines no function of a library that others in its process use: a definition of its own would be used instead of the
/// library's, by every shared library.
@Suite("the symbols that the program defines", .blocking)
struct DefinedSymbolsTests {
    /// The names in the output of nm, of symbols of these types.
    private static func functions(_ arguments: String, of file: String) throws -> Set<String> {
        // What is no function is left out: the linker makes a copy of each variable that the program uses of a library.
        let process = try Subprocess(
            "/usr/bin/env",
            [
                "sh", "-c",
                "nm --format=posix \(arguments) \(file) | sed -n 's/^\\([^ @$]*\\)[^ $]* [TWi] .*/\\1/p'",
            ])
        #expect(try process.waitForExit() == .code(0))
        return Set(process.output.split(separator: "\n").map { String($0) })
    }

    /// The shared libraries that the program is linked with.
    private static func libraries() throws -> [String] {
        let process = try Subprocess("/usr/bin/env", ["ldd", try WeirBinary.path])
        #expect(try process.waitForExit() == .code(0))
        return process.output.split(separator: "\n").compactMap { line in
            guard let place = line.split(separator: "=>").last?.split(separator: " ").first else {
                return nil
            }
            return place.hasPrefix("/") ? String(place) : nil
        }
    }

    @Test("the program defines no function of libc, GnuTLS, nghttp2 or libcurl", .timeLimit(.minutes(10)))
    func noneOfLibraries() throws {
        let wanted = ["/libc.so", "/libgnutls.so", "/libnghttp2.so", "/libcurl.so"]
        let libraries = try Self.libraries().filter { path in wanted.contains { path.contains($0) } }
        #expect(libraries.count == wanted.count, "\(libraries)")
        let defined = try Self.functions("--defined-only --extern-only", of: WeirBinary.path)
        #expect(defined.isSuperset(of: ["__wrap_recv", "MHD_run"]))
        // What every program defines for itself.
        let own: Set = ["_start", "_init", "_fini"]
        for library in libraries {
            let exported = try Self.functions("--dynamic --defined-only --extern-only", of: library)
            #expect(exported.count > 20)
            #expect(defined.intersection(exported).subtracting(own) == [], "of \(library)")
        }
    }

    @Test("a function that Weir replaces for one library is not defined for the whole process")
    func replaced() throws {
        let replaced: Set = [
            "recv", "__recv_chk", "send", "sendmsg", "epoll_wait", "epoll_ctl", "memset",
            "gnutls_record_recv",
            "gnutls_record_send", "gnutls_handshake", "nghttp2_session_callbacks_set_on_frame_recv_callback",
            "nghttp2_session_callbacks_set_on_frame_send_callback",
            "nghttp2_session_callbacks_set_on_stream_close_callback", "nghttp2_submit_settings",
            "nghttp2_session_set_local_window_size", "nghttp2_submit_window_update", "nghttp2_session_del",
        ]
        #expect(try Self.functions("--defined-only", of: WeirBinary.path).intersection(replaced) == [])
    }
}
