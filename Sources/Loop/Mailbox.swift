internal import CEpoll
internal import Glibc
internal import Locking

/// The only way in from another thread: messages wait here until the owner's loop takes them.
///
/// Unbounded by itself: who posts must be bounded (a worker posts at most one message per exchange that it holds).
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Lock<[Message]>([])
    /// An eventfd, readable while there are messages: watch it for `.readable`.
    public let descriptor: Int32

    /// An empty mailbox.
    public init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(descriptor) }

    /// Leaves a message and wakes the loop; from any thread.
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
