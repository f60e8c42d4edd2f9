internal import CEpoll
internal import Glibc

/// Receives events of a descriptor.
public protocol ReadinessHandler: AnyObject {
    /// `descriptor` is ready. Called on the loop's thread, and never for a watch that was removed.
    func descriptor(_ descriptor: Int32, isReady readiness: Readiness)
}

/// An epoll event loop: watches descriptors and calls their handlers.
///
/// Confined to the thread that runs it, which is checked once that thread has called ``bindToThread()``. It makes no
/// decisions: the owner determines the order of work within an iteration.
@safe public final class EventLoop {
    private struct Watch {
        var handler: (any ReadinessHandler)?
        var interest: Readiness
        /// Descriptor numbers are reused at once, even within one batch: an event of an earlier owner must not reach
        /// a later one.
        var generation: UInt32
    }

    private static let batch = 256

    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var watches: [Watch] = []
    /// The thread that turns it.
    public private(set) var confinement = ThreadConfinement()

    /// Creates an epoll instance.
    public init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
        unsafe events = .allocate(capacity: Self.batch)
    }

    deinit {
        close(epoll)
        unsafe events.deallocate()
    }

    /// Confines the loop, and all that is served by it, to the thread that calls.
    public func bindToThread() { confinement.bind() }

    /// Tells `handler` from now on when `descriptor` is ready for `interest`; replaces an earlier watch.
    ///
    /// The handler is retained until ``unwatch(_:)``.
    public func watch(
        _ descriptor: Int32, for interest: Readiness, handler: any ReadinessHandler
    ) throws(SystemError) {
        confinement.check()
        let index = Int(descriptor)
        while watches.count <= index { watches.append(Watch(handler: nil, interest: [], generation: 0)) }
        let isNew = watches[index].handler == nil
        if isNew { watches[index].generation &+= 1 }
        watches[index].handler = handler
        watches[index].interest = interest
        guard
            control(isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, interest)
                || !isNew && errno == ENOENT && watchAnew(descriptor, for: interest)
        else {
            let error = SystemError("epoll_ctl")
            watches[index].handler = nil
            throw error
        }
    }

    /// Watches a number that now belongs to another descriptor: the former one was closed without a notification, as
    /// libcurl does with a socket that is not connected yet.
    private func watchAnew(_ descriptor: Int32, for interest: Readiness) -> Bool {
        watches[Int(descriptor)].generation &+= 1
        return control(EPOLL_CTL_ADD, descriptor, interest)
    }

    /// Stops watching `descriptor`; pending events of it are dropped.
    ///
    /// Harmless if it is not watched.
    public func unwatch(_ descriptor: Int32) {
        confinement.check()
        let index = Int(descriptor)
        guard index < watches.count, watches[index].handler != nil else { return }
        watches[index].handler = nil
        watches[index].generation &+= 1
        _ = control(EPOLL_CTL_DEL, descriptor, [])
    }

    /// Stops watching a descriptor that is being closed: the kernel removes it from the set on its own.
    public func forget(_ descriptor: Int32) {
        confinement.check()
        let index = Int(descriptor)
        guard index < watches.count, watches[index].handler != nil else { return }
        watches[index].handler = nil
        watches[index].generation &+= 1
    }

    /// Waits for events and calls their handlers.
    ///
    /// - Parameter milliseconds: the longest wait; 0 only polls, a negative number waits without a limit.
    /// - Returns: the number of events.
    @discardableResult
    public func wait(atMost milliseconds: Int32) -> Int {
        confinement.check()
        let count = unsafe epoll_wait(epoll, events, Int32(Self.batch), milliseconds)
        guard count > 0 else {
            // Only a signal may interrupt; any other error is caused by an invalid descriptor of ours.
            precondition(count == 0 || errno == EINTR, "epoll_wait: errno \(errno)")
            return 0
        }
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            let tag = unsafe event.data.u64
            let descriptor = Int32(truncatingIfNeeded: tag & 0xFFFF_FFFF)
            let watch = watches[Int(descriptor)]
            guard watch.generation == UInt32(truncatingIfNeeded: tag >> 32), let handler = watch.handler
            else { continue }
            handler.descriptor(descriptor, isReady: Readiness(rawValue: unsafe event.events))
        }
        return Int(count)
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: Readiness) -> Bool {
        let tag = UInt64(watches[Int(descriptor)].generation) << 32 | UInt64(UInt32(descriptor))
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: tag))
        return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
    }
}

/// What a file descriptor is ready for, or what a handler is interested in.
public struct Readiness: OptionSet, Sendable {
    /// The bits of `epoll_event.events`.
    public let rawValue: UInt32

    /// These bits of `epoll_event.events`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes, an end of file, or a connection to accept.
    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// Buffer space to write into.
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// All events of a socket, each change reported once.
    public static let anyChange = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLET.rawValue)
        .union(readable).union(writable).union(urgent)
    /// Out-of-band bytes.
    public static let urgent = Readiness(rawValue: EPOLLPRI.rawValue)
    /// The descriptor failed, or was closed on both sides; always reported.
    public static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// The peer has ended its sending side, or the whole connection.
    public static let ended = Readiness(rawValue: EPOLLRDHUP.rawValue).union(broken)

    /// Whether the descriptor failed or was closed on both sides.
    public var isBroken: Bool { !isDisjoint(with: .broken) }
}

/// A failed system call with its error number.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the call, such as `epoll_create1`.
    public var operation: String
    /// The value of `errno`.
    public var number: Int32

    /// The error of `operation`, which has just failed on this thread.
    public init(_ operation: String) {
        self.operation = operation
        number = errno
    }

    /// `operation: the system's own words`.
    public var description: String {
        unsafe "\(operation): \(String(cString: strerror(number)))"
    }
}
