internal import Glibc
internal import Locking

/// A connected or listening stream socket with a deadline on every operation.
///
/// Safe to use from several threads: the descriptor is closed only when no operation uses it any more, so its number is
/// never reused under a waiting thread.
final class Socket: Sendable {
    private struct State {
        var users = 0
        var isClosed = false
        var isReleased = false
    }

    /// The longest time until a waiting thread notices that the socket was closed by another.
    private static let slice: Int32 = 50

    private let descriptor: Int32
    private let state = Lock(State())

    /// Takes ownership of `descriptor`.
    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Connects, with a receive buffer of about `receiveBuffer` bytes if given (the kernel doubles it; its floor is 2304).
    static func connected(to endpoint: Endpoint, receiveBuffer: Int?, by deadline: Deadline) throws -> Socket
    {
        let socket = Socket(owning: try System.openSocket(for: endpoint))
        try socket.configure(for: endpoint, receiveBuffer: receiveBuffer)
        try System.connect(socket.descriptor, to: endpoint)
        try socket.wait(for: POLLOUT, by: deadline, what: "a connection to \(endpoint)")
        let code = System.pendingError(of: socket.descriptor)
        guard code == 0 else { throw PeerError.system(operation: "connect \(endpoint)", code: code) }
        return socket
    }

    /// Listens; also returns the endpoint with the port that the kernel chose.
    static func listening(on endpoint: Endpoint, receiveBuffer: Int?) throws -> (Socket, Endpoint) {
        let socket = Socket(owning: try System.openSocket(for: endpoint))
        try socket.configure(for: endpoint, receiveBuffer: receiveBuffer)
        return (socket, try System.listen(socket.descriptor, on: endpoint))
    }

    private func configure(for endpoint: Endpoint, receiveBuffer: Int?) throws {
        if let receiveBuffer { try System.setOption(SO_RCVBUF, to: Int32(receiveBuffer), of: descriptor) }
        guard case .tcp = endpoint else { return }
        try System.setOption(SO_REUSEADDR, to: 1, of: descriptor)
        // A test says exactly what goes into one segment.
        try System.setOption(TCP_NODELAY, to: 1, of: descriptor, level: Int32(IPPROTO_TCP))
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The next connection, or nil when none is waiting.
    func accept() throws -> Socket? {
        try using { System.accept(descriptor) }.map { Socket(owning: $0) }
    }

    /// Receives at most `limit` bytes; an empty array is the orderly end.
    func receive(atMost limit: Int, by deadline: Deadline, what: String) throws -> [UInt8] {
        while true {
            if let bytes = try using({ try System.receive(descriptor, atMost: limit) }) { return bytes }
            try wait(for: POLLIN, by: deadline, what: what)
        }
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8], by deadline: Deadline) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = try using { try System.send(rest, to: descriptor) }
            rest = rest.dropFirst(sent)
            if sent == 0 {
                try wait(for: POLLOUT, by: deadline, what: "room to send \(rest.count) more bytes")
            }
        }
    }

    /// Waits until the socket is ready, or has an error or a hang-up to report.
    func wait(for events: Int32, by deadline: Deadline, what: String) throws {
        while try using({
            System.poll(
                [descriptor], for: events, milliseconds: deadline.millisecondsLeft(atMost: Self.slice))
        }).isEmpty {
            guard !deadline.hasPassed else { throw PeerError.timedOut(waitingFor: what) }
        }
    }

    /// Waits until one of the sockets can be read; returns its index, or nil after a short slice without any.
    static func firstReadable(of sockets: [Socket], by deadline: Deadline) -> Int? {
        let open = sockets.map { $0.hold() }
        defer { for (socket, held) in zip(sockets, open) where held { socket.release() } }
        let descriptors = zip(sockets, open).map { $1 ? $0.descriptor : -1 }
        return System.poll(descriptors, for: POLLIN, milliseconds: deadline.millisecondsLeft(atMost: slice))
            .first
    }

    /// Sends no more than full segments until the sending side ends, or 0.2 s have passed (tcp(7), `TCP_CORK`).
    func cork() throws {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard
            try using({ unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &on, size) }) == 0
        else { throw System.failure("setsockopt") }
    }

    /// Lets a library use the descriptor, which does not block.
    func withDescriptor<Result>(_ body: (Int32) throws -> Result) throws -> Result {
        try using { try body(descriptor) }
    }

    /// Ends this side's sending; receiving goes on.
    func shutdownWrite() throws {
        guard try using({ shutdown(descriptor, Int32(SHUT_WR)) }) == 0 else {
            throw System.failure("shutdown")
        }
    }

    /// Closes in an orderly way (with a reset if unread bytes are in the buffer, as TCP has it).
    func close() { close(withReset: false) }

    /// Closes with a reset.
    func reset() { close(withReset: true) }

    private func close(withReset: Bool) {
        let (isFirst, isShared) = state.withLock { state in
            defer { state.isClosed = true }
            if !state.isClosed { state.users += 1 }
            return (!state.isClosed, state.users > 1)
        }
        guard isFirst else { return }
        if withReset {
            System.lingerNot(descriptor)
        } else if isShared {
            // The other side need not wait for the thread that still uses the descriptor.
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        release()
    }

    /// Starts a program that reads from and writes to this socket; returns its process identifier.
    func spawn(_ arguments: [String]) throws -> Int32 {
        let nowhere = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { throw System.failure("open /dev/null") }
        defer { Glibc.close(nowhere) }
        return try using {
            try System.spawn(
                arguments, environment: System.environment, streams: [descriptor, descriptor, nowhere])
        }
    }

    private func using<Result>(_ body: () throws -> Result) throws -> Result {
        guard hold() else { throw PeerError.alreadyClosed }
        defer { release() }
        return try body()
    }

    private func hold() -> Bool {
        state.withLock { state in
            if !state.isClosed { state.users += 1 }
            return !state.isClosed
        }
    }

    private func release() {
        let isLast = state.withLock { state in
            state.users -= 1
            guard state.isClosed, state.users == 0, !state.isReleased else { return false }
            state.isReleased = true
            return true
        }
        if isLast { Glibc.close(descriptor) }
    }
}
