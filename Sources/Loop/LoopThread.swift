internal import CEpoll
internal import Glibc
internal import Locking

/// A named thread of the operating system, to be joined or detached.
public final class LoopThread: @unchecked Sendable {  // `thread` is written once, in init.
    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private var thread: pthread_t = 0

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter name: the system shows at most 15 bytes of it.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let context = unsafe Unmanaged.passRetained(Body(name: name, run: body))
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                _ = unsafe cepoll_name_thread(String(body.name.prefix(15)))
                body.run()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            unsafe context.release()
            errno = status
            throw SystemError("pthread_create")
        }
    }

    /// Detaches the thread instead of joining it; to be called once.
    public func detach() {
        pthread_detach(thread)
    }

    /// Waits until the thread has ended; to be called once.
    public func join() {
        pthread_join(thread, nil)
    }
}

/// The only way to reach a loop from another thread: messages wait here until the loop's owner takes them.
///
/// It has no bound of its own: its users must be bounded (a worker posts at most one message per exchange).
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Lock<[Message]>([])
    /// An eventfd that is readable while there are messages; watch it for `.readable`.
    public let descriptor: Int32

    /// An empty mailbox.
    public init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(descriptor) }

    /// Adds a message and wakes the loop; may be called from any thread.
    public func post(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        guard wasEmpty else { return }
        eventfd_write(descriptor, 1)
    }

    /// Takes all messages, oldest first.
    public func takeAll() -> [Message] {
        var ignored: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &ignored)
        return messages.withLock { messages in
            let taken = messages
            messages = []
            return taken
        }
    }
}

/// The monotonic clock and the wall clock.
public enum SystemClock {
    /// Nanoseconds since an arbitrary point of this boot.
    public static var monotonicNanoseconds: Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

    /// Milliseconds since 1970-01-01T00:00:00Z at the kernel's last tick, up to 10 ms ago; reading it takes a tenth
    /// of the time.
    public static var coarseWallMilliseconds: Int64 { read(CLOCK_REALTIME_COARSE) / 1_000_000 }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
