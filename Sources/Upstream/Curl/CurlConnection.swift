internal import CCurl
internal import Glibc

/// Receives the result of establishing a connection.
public protocol CurlConnectionDelegate: AnyObject {
    /// The connection is established, including its handshake, or `fault` says why not. Called once, and not after
    /// ``CurlConnection/close()``.
    func connection(_ connection: CurlConnection, didOpen fault: TransferFault?)
}

/// The result of sending or receiving on a connection.
public enum ConnectionTransfer: Hashable, Sendable {
    /// This many bytes were transferred, at least 1.
    case moved(Int)
    /// None at the moment; the descriptor signals when to try again.
    case wouldBlock
    /// The peer has ended its side properly.
    case ended
    /// The connection has failed; with the `errno`, or 0 if only the library knows it.
    case failed(errno: Int32)
}

/// A connection to an upstream, established by libcurl (name resolution, happy eyeballs, proxies, TLS) and then used
/// by Weir: `CURLOPT_CONNECT_ONLY`.
///
/// Created by ``CurlMulti/connect(for:)``. Confined to the thread of its multi.
@safe public final class CurlConnection: EasyHandle.Owner {
    private let easy: EasyHandle
    /// Retains this connection until it is closed.
    private unowned let multi: CurlMulti
    private weak var delegate: (any CurlConnectionDelegate)?
    /// Whether TLS protects it, so that the library must be used to access the socket.
    public let isTLS: Bool
    /// Whether TLS to the provider is all of it: a proxy's TLS would be a second layer, which may hold bytes as well.
    private let hasOneLayer: Bool
    /// OpenSSL's object for the connection, if it can be asked whether it holds bytes.
    private var session: UnsafeRawPointer?
    /// Whether bytes were sent through the library.
    private var hasSent = false
    private var isJoined = true
    private var isPending = true
    /// The socket while it is open; otherwise -1.
    ///
    /// The user of the connection watches it, and removes the watch before ``close()``.
    public private(set) var descriptor: Int32 = -1

    init(multi: CurlMulti, options: UpstreamOptions, delegate: any CurlConnectionDelegate) {
        self.multi = multi
        self.delegate = delegate
        isTLS = options.usesTLS
        hasOneLayer = isTLS && !options.usesProxyTLS
        easy = EasyHandle(hooks: multi.hooks, options: options)
        easy.set(CURLOPT_CONNECT_ONLY, 1)
        easy.join(self)
        multi.add(easy)
    }

    func easyHandleDidFinish(_ fault: TransferFault?) {
        settle()
        if fault == nil {
            descriptor = unsafe ccurl_active_socket(easy.pointer)
            if descriptor >= 0 {
                unsafe easy.hooks.handOver(descriptor)
                unsafe easy.hooks.opened += 1
                claim()
            }
        }
        guard fault != nil || descriptor < 0 else {
            delegate?.connection(self, didOpen: nil)
            return
        }
        // The delegate may own the last reference to this object.
        let delegate = delegate
        let reason = easy.fault(ofConnecting: fault ?? .connectFailed(errno: 0))
        close()
        delegate?.connection(self, didOpen: reason)
    }

    /// Sends from the start of `bytes`, which must not be empty.
    ///
    /// After ``ConnectionTransfer/wouldBlock`` the same bytes must be passed again, at the same address: TLS has
    /// begun a record of them.
    public func send(_ bytes: UnsafeRawBufferPointer) -> ConnectionTransfer {
        guard isTLS else {
            let count = unsafe Glibc.send(
                descriptor, bytes.baseAddress, bytes.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            return count > 0 ? .moved(count) : Self.failure(errno)
        }
        var count = 0
        let code = unsafe curl_easy_send(easy.pointer, bytes.baseAddress, bytes.count, &count)
        if code == CURLE_OK, count > 0 {
            if !hasSent { firstBytesHaveLeft() }
            return .moved(count)
        }
        if code == CURLE_AGAIN { return .wouldBlock }
        easy.listenForAlert()
        return .failed(errno: 0)
    }

    /// libcurl attaches the handle to its connection with the first bytes that are sent; before, it does not return its session.
    private func firstBytesHaveLeft() {
        hasSent = true
        if hasOneLayer { unsafe session = OpenSSL.readAhead(on: easy.pointer) }
    }

    /// Receives into `room`.
    ///
    /// With TLS, the library may hold bytes that the descriptor does not signal, so this must be called again while
    /// ``mayHoldBytes``.
    public func receive(into room: UnsafeMutableRawBufferPointer) -> ConnectionTransfer {
        guard isTLS else {
            let count = unsafe recv(descriptor, room.baseAddress, room.count, 0)
            if count > 0 { return .moved(count) }
            return count == 0 ? .ended : Self.failure(errno)
        }
        var count = 0
        let code = unsafe curl_easy_recv(easy.pointer, room.baseAddress, room.count, &count)
        if code == CURLE_AGAIN { return .wouldBlock }
        guard code == CURLE_OK else { return .failed(errno: 0) }
        if count > 0 { return .moved(count) }
        // RFC 9112 9.8: without a close_notify, anybody on the path may have truncated the data.
        return unsafe OpenSSL.hasReceivedCloseNotify(on: easy.pointer) ? .ended : .failed(errno: 0)
    }

    /// The alert with which the peer has ended TLS; valid after ``ConnectionTransfer/failed(errno:)``.
    public var alert: TLSAlert? { isTLS ? easy.alert : nil }

    /// Whether there may be received bytes that the descriptor does not signal: ``receive(into:)`` must be called again.
    public var mayHoldBytes: Bool {
        guard isTLS else { return false }
        guard let session = unsafe session else { return true }
        return unsafe OpenSSL.mayHoldBytes(session)
    }

    func easyHandleMayConnect() -> Bool { true }

    /// Closes the connection, or stops establishing it.
    public func close() {
        guard isJoined else { return }
        isJoined = false
        settle()
        if descriptor >= 0 { unsafe easy.hooks.takeBack(descriptor) }
        descriptor = -1
        unsafe session = nil
        multi.remove(easy)
        easy.leave()
    }

    /// Makes libcurl treat the connection as in use.
    ///
    /// > Whenever it makes a connection, 7.88 looks for dead ones among those that it takes for idle, and closes the sockets whose peer
    /// has ended: also one that was made by CONNECT_ONLY, until the first call that sends or receives has attached the handle to it.
    private func claim() {
        // With TLS the request's head has this effect, which is sent at once; an empty record would be additional
        // traffic.
        guard !isTLS else { return }
        var count = 0
        unsafe curl_easy_send(easy.pointer, "", 0, &count)
    }

    private func settle() {
        if isPending { multi.connectionIsSettled() }
        isPending = false
    }

    private static func failure(_ number: Int32) -> ConnectionTransfer {
        switch number {
        case EAGAIN, EINTR: return .wouldBlock
        default: return .failed(errno: number)
        }
    }
}
