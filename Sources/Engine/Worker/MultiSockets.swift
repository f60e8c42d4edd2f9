internal import Loop
internal import Upstream

/// Watches the sockets of a multi on an event loop, for owners that run the multi in each iteration.
///
/// Confined to the loop's thread; must outlive the multi's work, which does not retain it.
final class MultiSockets: SocketWatcher, ReadinessHandler {
    private let loop: EventLoop
    private let multi: CurlMulti

    /// Watches the sockets of `multi` from now on.
    init(of multi: CurlMulti, on loop: EventLoop) {
        self.multi = multi
        self.loop = loop
        multi.watcher = self
    }

    func watch(_ socket: Int32, readable: Bool, writable: Bool) {
        var interest: Readiness = []
        if readable { interest.insert(.readable) }
        if writable { interest.insert(.writable) }
        // What uses a socket that cannot be watched runs into its time limit.
        try? loop.watch(socket, for: interest, handler: self)
    }

    func unwatch(_ socket: Int32, isClosing: Bool) {
        if isClosing { loop.forget(socket) } else { loop.unwatch(socket) }
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        multi.socket(
            descriptor, isReadable: readiness.contains(.readable),
            isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
    }
}
