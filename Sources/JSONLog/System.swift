internal import Glibc

// Everything that the compiler cannot check, in one place: the lock with its condition variable, the thread, and the
// system calls.

/// A value protected by a lock, with a way to wait for its changes.
///
/// `Lock` in Locking has no condition variable.
///
/// Sendable although unchecked: `value` is accessed only while `lock` is held.
@safe final class Monitor<Value: Sendable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
        // Allocated, because their addresses must not change while they are in use.
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

    /// Wakes all waiting threads so that they check again.
    func wakeAll() {
        unsafe pthread_cond_broadcast(changed)
    }

    /// Waits until `ready` returns a value, and returns it; `nil` if the time runs out first.
    ///
    /// - Parameter timeout: `nil` for no limit.
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
        // A year is long enough, and cannot overflow.
        let seconds = Int(min(parts.seconds, 31_536_000)) + nanoseconds / 1_000_000_000
        return timespec(tv_sec: now.tv_sec + seconds, tv_nsec: nanoseconds % 1_000_000_000)
    }
}

/// A thread that runs one function; must be joined or detached exactly once.
struct SystemThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread that blocks all signals: other threads handle them, and a write to a closed pipe returns
    /// `EPIPE` instead of raising `SIGPIPE`.
    ///
    /// - Throws: ``LogWriter/StartFailure``.
    init(_ body: @escaping @Sendable () -> Void) throws(LogWriter.StartFailure) {
        let argument = unsafe Unmanaged.passRetained(ThreadBody(run: body))
        var everything = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&everything)
        // A thread inherits its creator's signal mask.
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

    /// Waits until the thread has ended.
    func join() {
        pthread_join(handle, nil)
    }

    /// Detaches the thread.
    func detach() {
        pthread_detach(handle)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// The result of `write`.
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

    /// Waits until a write would not block; a descriptor with an error counts as writable, since the write will
    /// report it.
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
