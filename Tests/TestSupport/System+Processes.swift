internal import Glibc

/// The calls into libc that take pointers, for threads and processes.
extension System {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a detached thread.
    static func startThread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        // Owned by the thread, which takes it back; by us if there is none.
        let work = unsafe Unmanaged.passRetained(Work(body))
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        precondition(code == 0, "a test needs its threads: \(message(for: code))")
        pthread_detach(thread)
    }

    /// Both ends of a pipe, which children do not inherit.
    static func makePipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw failure("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Both ends of a socket pair: unlike a pipe, writing to a dead reader raises no signal.
    static func makeSocketPair() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw failure("socketpair") }
        return (ends[0], ends[1])
    }

    /// Starts a program with the three standard streams and nothing else open, in a process group of its own, with
    /// default signal handling.
    static func spawn(_ arguments: [String], environment: [String], streams: [Int32]) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in streams.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        // What other threads have open is not the program's; closing a number that is not open is no error.
        let highest = try names(in: "/proc/self/fd").compactMap { Int32($0) }.max() ?? 2
        for descriptor in 3...max(3, highest + 64) {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var identifier: pid_t = 0
        let code = unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                guard let program = unsafe arguments.first ?? nil else { return EINVAL }
                return unsafe posix_spawnp(
                    &identifier, program, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw PeerError.system(operation: "posix_spawn \(arguments)", code: code) }
        return identifier
    }

    /// Lends the texts as C strings with a null pointer at the end; they are freed when `body` returns.
    private static func withCStrings(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
    ) -> Int32 {
        let pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        return unsafe body(pointers)
    }

    /// Takes away a child that has ended and returns how; nil while it runs.
    static func reap(_ identifier: pid_t) -> ProcessExit? {
        var status: Int32 = 0
        guard unsafe waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
        return status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }

    /// This process's environment as `NAME=value`.
    static var environment: [String] {
        guard let content = try? read("/proc/self/environ") else { return [] }
        return content.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
