internal import Glibc
internal import Loop

/// SIGTERM, SIGINT and perhaps SIGHUP: waited for, instead of interrupting something.
struct ProcessSignals {
    /// What a signal asks for.
    enum Request: Equatable {
        /// To end; the signal's name says who asks.
        case stop(by: String)
        /// To read the configuration again.
        case reload
    }

    private var set = sigset_t()

    /// Blocks the signals in this thread and in all that it starts.
    ///
    /// - Parameter reloads: whether SIGHUP is one of them; else it ends the program, as it does by default.
    init(reloads: Bool) {
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT] { unsafe sigaddset(&set, signal) }
        if reloads { unsafe sigaddset(&set, SIGHUP) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for one of them; `nil` if none has come after `patience`, which may be endless.
    func wait(atMost patience: Duration?) -> Request? {
        var set = set
        while true {
            let number: Int32
            if let patience {
                let parts = patience.components
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

    /// From now on another SIGINT ends the program at once, after `cleanUp`: a user who does not want to wait presses Ctrl-C again.
    ///
    /// SIGTERM and SIGHUP change nothing any more: a supervisor may send them to a group of processes, and again to each of them.
    func endAtOnce(onInterruptAfter cleanUp: @escaping @Sendable () -> Void) {
        // Without a thread SIGINT changes nothing either: the end comes with that of the drain.
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
