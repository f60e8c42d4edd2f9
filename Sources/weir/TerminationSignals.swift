internal import Glibc

/// SIGTERM and SIGINT: waited for, instead of interrupting something.
struct TerminationSignals {
    private var set = sigset_t()

    /// Blocks the signals in this thread and in all that it starts.
    init() {
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for one of them and returns its name.
    func wait() -> String {
        var set = set
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
        return number == SIGINT ? "SIGINT" : "SIGTERM"
    }

    /// Gives SIGINT back its usual effect, in this thread: whoever does not want to wait for the end presses Ctrl-C again.
    func releaseInterrupt() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
