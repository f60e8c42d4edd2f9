internal import CCurl
internal import Glibc

/// Is told when a connection can be used, or that it cannot be made.
public protocol CurlConnectionDelegate: AnyObject {
    /// The connection is open, its handshake done; or why not. Called once, and not after ``CurlConnection/close()``.
    func connection(_ connection: CurlConnection, didOpen fault: TransferFault?)
}

/// What became of bytes offered to, or asked of, a connection.
public enum ConnectionTransfer: Hashable, Sendable {
    /// So many bytes were moved, at least 1.
    case moved(Int)
    /// None now; the descriptor says when to ask again.
    case wouldBlock
    /// The peer has ended its side, properly.
    case ended
    /// The connection has failed; the `errno`, or 0 where only the library knows.
    case failed(errno: Int32)
}

/// A connection to an upstream, made by libcurl (names, racing of addresses, proxies, TLS) and then left to us: `CURLOPT_CONNECT_ONLY`.
///
/// Made by ``CurlMulti/connect(for:)``. Confined to the thread of its multi.
@safe public final class CurlConnection: EasyHandle.Owner {
    private let easy: EasyHandle
    /// Holds this connection until it is closed.
    private unowned let multi: CurlMulti
    private weak var delegate: (any CurlConnectionDelegate)?
    /// Whether the socket is the library's to use: TLS is on it.
    private let isTLS: Bool
    private var isJoined = true
    private var isPending = true
    /// The socket, once it is open; -1 before and after.
    ///
    /// To be watched by whoever uses the connection, who takes the watch back before ``close()``.
    public private(set) var descriptor: Int32 = -1

    init(multi: CurlMulti, options: UpstreamOptions, delegate: any CurlConnectionDelegate) {
        self.multi = multi
        self.delegate = delegate
        isTLS = options.usesTLS
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
        // The delegate may be the last that holds this.
        let delegate = delegate
        let reason = easy.fault(ofConnecting: fault ?? .connectFailed(errno: 0))
        close()
        delegate?.connection(self, didOpen: reason)
    }

    /// Sends from the start of `bytes`, which are not none.
    ///
    /// After ``ConnectionTransfer/wouldBlock`` the same bytes must be offered again, at the same place: TLS has begun a record of them.
    public func send(_ bytes: UnsafeRawBufferPointer) -> ConnectionTransfer {
        guard isTLS else {
            let count = unsafe Glibc.send(
                descriptor, bytes.baseAddress, bytes.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            return count > 0 ? .moved(count) : Self.failure(errno)
        }
        var count = 0
        let code = unsafe curl_easy_send(easy.pointer, bytes.baseAddress, bytes.count, &count)
        if code == CURLE_OK, count > 0 { return .moved(count) }
        if code == CURLE_AGAIN { return .wouldBlock }
        easy.listenForAlert()
        return .failed(errno: 0)
    }

    /// Receives into `room`.
    ///
    /// Under TLS, bytes may be left inside the library of which the descriptor does not tell: to be called until it would block.
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
        // RFC 9112 9.8: without a close_notify, anybody on the way may have cut the data off.
        return unsafe OpenSSL.hasReceivedCloseNotify(on: easy.pointer) ? .ended : .failed(errno: 0)
    }

    /// The alert with which the peer has ended TLS; valid after ``ConnectionTransfer/failed(errno:)``.
    public var alert: TLSAlert? { isTLS ? easy.alert : nil }

    /// Whether ``receive(into:)`` must be called until it would block.
    public var mayHoldBytes: Bool { isTLS }

    func easyHandleMayConnect() -> Bool { true }

    /// Closes the connection, or gives up making it.
    public func close() {
        guard isJoined else { return }
        isJoined = false
        settle()
        if descriptor >= 0 { unsafe easy.hooks.takeBack(descriptor) }
        descriptor = -1
        multi.remove(easy)
        easy.leave()
    }

    /// Makes libcurl see that the connection is in use.
    ///
    /// > Whenever it makes a connection, 7.88 looks for dead ones among those that it takes for idle, and closes the sockets whose peer
    /// has ended: also one that was made by CONNECT_ONLY, until the first call that sends or receives has attached the handle to it.
    private func claim() {
        // Under TLS the request's head does it, which is sent at once: an empty record would be one more on the wire.
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
