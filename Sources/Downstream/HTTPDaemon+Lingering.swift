internal import CMicroHTTPD
internal import Glibc
internal import Loop
public import Wire

/// The end of a connection after its final response, written by libmicrohttpd or by Weir
/// (``ClientConnection/leave(_:)``).
///
/// > 0.9.75 and 1.0.1 end the sending side behind a last response, with TLS by a close_notify, and close the socket at once. The notice that
/// a connection is closed comes in between: a duplicate of the socket keeps the connection from being reset.
extension HTTPDaemon {
    /// The maximum number of lingering sockets, and their maximum share of all descriptors: the oldest one is closed
    /// for a new one.
    private static let (mostLingering, lingeringShare) = (1024, 4)
    /// How many closed sockets stay in the list of lingering ones.
    private static let closedLingering = 64

    /// Reads and drops what `client` still sends, whose connection the library is about to close.
    func linger(behind client: ClientConnection) {
        let now = Self.milliseconds
        var input = client.machine.unread ?? UnreadInput(at: now)
        input.extend(at: now, unreceived: client.unreceivedBytes)
        switch input.drop(from: client.socket) {
        case .ended, .failed: return
        case .later, .more: break
        }
        // Otherwise the kernel would report events of the duplicate for the closed number.
        loop.unwatch(client.socket)
        let copy = fcntl(client.socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return }
        // The library has done so without TLS.
        if client.machine.isEncrypted { shutdown(copy, Int32(SHUT_WR)) }
        let socket = LingeringSocket(copy, input: input, daemon: self)
        guard copy < limits.descriptors, (try? loop.watch(copy, for: .readable, handler: socket)) != nil
        else {
            close(copy)
            return
        }
        if openLingering >= min(Self.mostLingering, limits.descriptors / Self.lingeringShare) {
            lingering.first { $0.isOpen }?.end()
        }
        openLingering += 1
        lingering.append(socket)
    }

    /// When the next lingering socket is closed, on the monotonic clock in milliseconds.
    var lingeringEnd: Int? { openLingering == 0 ? nil : lingering.first { $0.isOpen }?.endsAt }

    /// Closes lingering sockets whose time is over.
    func endLingering() {
        let now = Self.milliseconds
        let due = Array(lingering.prefix { !$0.isOpen || $0.endsAt <= now })
        lingering.removeFirst(due.count)
        for socket in due where socket.isOpen {
            // One whose time begins anew moves behind the others.
            if socket.isOver(at: now) { socket.end() } else { lingering.append(socket) }
        }
    }

    /// Closes all lingering sockets.
    func stopLingering() {
        for socket in lingering { socket.end() }
        lingering.removeAll()
    }

    /// A lingering socket has been closed.
    func noteEndOfLingering() {
        openLingering -= 1
        if lingering.count > Self.closedLingering, lingering.count > 2 * openLingering {
            lingering.removeAll { !$0.isOpen }
        }
    }
}

/// A client's socket after its final response, once the library has closed the connection.
final class LingeringSocket: ReadinessHandler {
    private let descriptor: Int32
    private var input: UnreadInput
    private unowned let daemon: HTTPDaemon
    private(set) var isOpen = true

    init(_ descriptor: Int32, input: UnreadInput, daemon: HTTPDaemon) {
        self.descriptor = descriptor
        self.input = input
        self.daemon = daemon
    }

    /// When it is closed, on the monotonic clock in milliseconds.
    var endsAt: Int { input.endsAt }

    /// Whether nothing more is read of it; see ``UnreadInput/isOver(at:unreceived:)``.
    func isOver(at now: Int) -> Bool {
        let unreceived = cmhd_unreceived(descriptor)
        return input.isOver(at: now, unreceived: unreceived < 0 ? nil : Int(unreceived))
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        switch input.drop(from: descriptor) {
        case .later, .more: break
        case .ended, .failed: end()
        }
    }

    /// Closes it.
    func end() {
        guard isOpen else { return }
        isOpen = false
        daemon.loop.unwatch(descriptor)
        close(descriptor)
        daemon.noteEndOfLingering()
    }
}

/// A response that bypasses libmicrohttpd and ends the connection.
public struct ClosingAnswer: Sendable {
    /// Head and body, as they are sent.
    let bytes: [UInt8]

    /// A response with these fields, and with those that frame it and end the connection.
    ///
    /// - Parameters:
    ///   - body: its length is declared even if it is not sent.
    ///   - isHead: whether the method is HEAD, so that no body may follow.
    public init(status: Int, fields: borrowing FieldBlock, body: Span<UInt8>, isHead: Bool) {
        var bytes = Array("HTTP/1.1 \(status) ".utf8)
        bytes.append(contentsOf: Self.phrase(of: status).utf8)
        var hasDate = false
        fields.forEach { name, value in
            if name.equalsIgnoringCase("date") {
                if hasDate { return }
                hasDate = true
            }
            bytes += [0x0D, 0x0A]
            bytes.append(name)
            bytes += [0x3A, 0x20]
            bytes.append(value)
        }
        let hasNoBody = status == 204 || status == 304
        if !hasNoBody { bytes += Array("\r\nContent-Length: \(body.count)".utf8) }
        bytes += Array("\r\nConnection: close\r\n".utf8)
        if !hasDate { bytes += Array("Date: ".utf8) + HTTPDate.now + [0x0D, 0x0A] }
        bytes += [0x0D, 0x0A]
        if !hasNoBody, !isHead { bytes.append(body) }
        self.bytes = bytes
    }

    static func phrase(of status: Int) -> String {
        unsafe MHD_get_reason_phrase_for(UInt32(clamping: status)).map { unsafe String(cString: $0) } ?? ""
    }
}
