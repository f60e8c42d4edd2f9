internal import Glibc
internal import Loop

/// Receives SIGTERM, SIGINT and optionally SIGHUP by waiting for them, so that they interrupt nothing.
struct ProcessSignals {
    /// What a signal asks for.
    enum Request: Equatable {
        /// Shut down; `by` is the name of the signal.
        case stop(by: String)
        /// Reload the configuration.
        case reload
    }

    private var set = sigset_t()

    /// Blocks the signals in this thread and in all threads that it starts.
    ///
    /// - Parameter reloads: whether to handle SIGHUP; otherwise it ends the program, as it does by default.
    init(reloads: Bool) {
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT] { unsafe sigaddset(&set, signal) }
        if reloads { unsafe sigaddset(&set, SIGHUP) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for a signal; returns `nil` if none has arrived after `timeout`, which may be endless.
    func wait(atMost timeout: Duration?) -> Request? {
        var set = set
        while true {
            let number: Int32
            if let timeout {
                let parts = timeout.components
                var time = timespec(
                    tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
                number = unsafe sigtimedwait(&set, nil, &time)
            } else {
                number = unsafe sigwaitinfo(&set, nil)
            }
            switch number {
            case SIGTERM: return .stop(by: "SIGTERM")
            case SIGINT: return .stop(by: "SIGINT")
            case SIGHUP: return .reload
            default: if errno == EAGAIN { return nil }
            }
        }
    }

    /// From now on another SIGINT ends the program at once, after `cleanUp`: a user who does not want to wait presses
    /// Ctrl-C again.
    ///
    /// SIGTERM and SIGHUP have no effect any more: a supervisor may send them to a group of processes and again to
    /// each of them.
    func endAtOnce(onInterruptAfter cleanUp: @escaping @Sendable () -> Void) {
        // Without a thread SIGINT has no effect either, and the program ends with the drain.
        _ = try? LoopThread(name: "weir-signals") {
            var set = sigset_t()
            unsafe sigemptyset(&set)
            unsafe sigaddset(&set, SIGINT)
            while unsafe sigwaitinfo(&set, nil) != SIGINT {}
            cleanUp()
            unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
            raise(SIGINT)
            // The program was started with SIGINT ignored.
            _exit(130)
        }
    }
}
