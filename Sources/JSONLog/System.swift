internal import Glibc

// Everything here that the compiler cannot check, in one place: the lock with its condition, the thread, and
// the system calls.

/// A value behind a lock, and a way to wait until it has changed.
///
/// `Lock` of Locking has nothing to wait on.
///
/// Sendable though unchecked: `value` is touched only while `lock` is held.
@safe final class Monitor<Value: Sendable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
        // Allocated, because their addresses must stay the same for as long as they are used.
        unsafe lock = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(lock)
        unsafe changed.deallocate()
        unsafe lock.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body(&value)
    }

    /// Lets all who wait look again.
    func wakeAll() {
        unsafe pthread_cond_broadcast(changed)
    }

    /// Waits until `ready` returns something, and returns it; `nil` when the time is over first.
    ///
    /// - Parameter timeout: `nil` for as long as it takes.
    func wait<Result>(_ timeout: Duration?, for ready: (inout Value) -> Result?) -> Result? {
        let deadline = timeout.map { Self.deadline(after: $0) }
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        while true {
            if let result = ready(&value) { return result }
            guard var deadline else {
                unsafe pthread_cond_wait(changed, lock)
                continue
            }
            if unsafe pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { return ready(&value) }
        }
    }

    private static func deadline(after timeout: Duration) -> timespec {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let parts = max(timeout, .zero).components
        let nanoseconds = now.tv_nsec + Int(parts.attoseconds / 1_000_000_000)
        // A year is for ever, and cannot overflow.
        let seconds = Int(min(parts.seconds, 31_536_000)) + nanoseconds / 1_000_000_000
        return timespec(tv_sec: now.tv_sec + seconds, tv_nsec: nanoseconds % 1_000_000_000)
    }
}

/// A thread that runs one function; to be joined or let go exactly once.
struct SystemThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread that takes no signals: they are for the threads that expect them, and a write to a
    /// reader that has gone becomes `EPIPE` instead of `SIGPIPE`.
    ///
    /// - Throws: ``LogWriter/StartFailure``.
    init(_ body: @escaping @Sendable () -> Void) throws(LogWriter.StartFailure) {
        let argument = unsafe Unmanaged.passRetained(ThreadBody(run: body))
        var everything = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&everything)
        // A thread begins with its creator's mask.
        unsafe pthread_sigmask(SIG_BLOCK, &everything, &before)
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, argument.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe argument.release()
            throw LogWriter.StartFailure(code: code)
        }
        self.handle = handle
    }

    /// Waits for its end.
    func join() {
        pthread_join(handle, nil)
    }

    /// Leaves it to end by itself.
    func detach() {
        pthread_detach(handle)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// What `write` did.
enum WriteOutcome {
    case wrote(Int)
    case tryAgain
    case failed
}

enum SystemCall {
    /// One `write`.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> WriteOutcome {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 { return .wrote(count) }
        return errno == EINTR || errno == EAGAIN ? .tryAgain : .failed
    }

    /// Waits until a write would not block; a descriptor in error counts as writable, since the write will
    /// say so.
    static func isWritable(_ descriptor: Int32, withinMilliseconds timeout: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&entry, 1, timeout) > 0
    }

    /// Milliseconds since 1970-01-01 UTC.
    static func wallClock() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
