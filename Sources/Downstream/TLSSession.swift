internal import CGnuTLS
internal import CMicroHTTPD

/// A client's TLS session, which libmicrohttpd owns and ends after the connection.
@safe final class TLSSession {
    /// What came of writing.
    enum Written {
        case bytes(Int)
        /// The socket takes no more at the moment.
        case later
        case failed
    }

    private let handle: OpaquePointer
    private let identity: ServerIdentity
    /// Whether its handshake is complete.
    var isEstablished = false

    /// Sets a session up that libmicrohttpd has made, before its handshake; without success, the handshake fails.
    init(_ handle: OpaquePointer, identity: ServerIdentity) {
        unsafe self.handle = handle
        self.identity = identity
        guard unsafe identity.use(in: handle) else { return }
        unsafe SessionTicketKey.shared?.enable(in: handle)
    }

    /// What the client has sent, as gnutls_record_recv() gives it.
    func receive(_ bytes: UnsafeMutableRawPointer?, _ room: Int) -> Int {
        unsafe cmhd_receive_record(UnsafeMutableRawPointer(handle), bytes, room)
    }

    /// What says that there is nothing to read yet.
    static var nothingYet: Int { CGNUTLS_AGAIN }

    /// Sends what fits; after ``Written/later`` the same bytes must be given again.
    func send(_ bytes: UnsafeRawBufferPointer) -> Written {
        let count = unsafe cmhd_send_record(
            UnsafeMutableRawPointer(handle), bytes.baseAddress, bytes.count)
        if count > 0 { return .bytes(count) }
        return cgnutls_is_interrupted(count) != 0 ? .later : .failed
    }

    /// What says that the socket takes nothing any more.
    static var takesNothing: Int { CGNUTLS_PUSH_ERROR }

    /// Whether a call would have had to wait for the client.
    static func isInterrupted(_ result: Int32) -> Bool { cgnutls_is_interrupted(Int(result)) != 0 }

    /// Sends a close_notify, if there has been a handshake and the socket takes it at once (RFC 8446 6.1).
    func endIfEstablished() {
        if isEstablished { _ = sayGoodbye() }
    }

    /// Tells the client that no more comes; `false` if the socket takes nothing at the moment.
    func sayGoodbye() -> Bool { unsafe cgnutls_is_interrupted(Int(cgnutls_say_goodbye(handle))) == 0 }
}
