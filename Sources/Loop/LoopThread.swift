internal import CEpoll
internal import Glibc

/// A named thread of the operating system, to be joined, or detached.
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

    /// Starts a thread that runs `body` and ends.
    ///
    /// - Parameter name: at most 15 bytes are shown by the system.
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

    /// Lets the thread end by itself, whenever that is, instead of joining it; once.
    public func detach() {
        pthread_detach(thread)
    }

    /// Waits until the thread has ended; once.
    public func join() {
        pthread_join(thread, nil)
    }
}
