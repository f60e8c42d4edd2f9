internal import CCurl
internal import Glibc

extension CurlMulti {
    /// The multi's sockets and timer, as seen by libcurl's callbacks.
    @safe final class Hooks {
        private struct Socket {
            /// What the loop watches it for; if both are false, it is not watched.
            var readable = false
            var writable = false
            /// Whether libcurl is currently interested in it.
            var isActive = false
            /// Whether another owner uses it and decides when it may be closed.
            var isHandedOver = false
            /// Whether our callback opened it; only then is our callback called when it is closed.
            var isOurs = false
        }

        /// Not retained, since it owns the multi.
        unowned(unsafe) var watcher: (any SocketWatcher)?
        private let allowsAddress: @Sendable (ResolvedAddress) -> Bool
        /// The upstream's origin, parsed.
        let url: OpaquePointer
        /// What the handles share: TLS sessions, so that a further connection resumes one (RFC 8446 2.2).
        ///
        /// > Otherwise 7.88 keeps sessions with the handle that made them.
        let share: UnsafeMutableRawPointer?
        private let firstAddresses: UnsafeMutablePointer<curl_slist>?
        private var hasGivenAddresses = false
        /// Removes the upstream's name from libcurl's cache.
        private let forgetting: UnsafeMutablePointer<curl_slist>?
        /// Whether the name must be resolved again before the next connection, because an attempt failed.
        var looksUpAnew = false
        private var sockets: [Socket] = []
        /// Whether idle connections may receive something: HTTP/2 frames of the connection itself.
        var keepsUnread = false
        /// Whether idle connections have received something, which ``IdleCheck`` makes libcurl read.
        var mustCheckIdle = false
        /// The sockets of those connections, and how often they were checked since they last had nothing to read.
        private var unread: [Int32: Int] = [:]
        /// How often an idle connection is checked before it is closed.
        private static let checkLimit = 8
        var needsKick = false
        var deadline: Int64?
        /// Milliseconds of the owner's clock at the last run.
        var now: Int64 = 0
        /// How many connections were established; one may take several sockets, since a name may have several
        /// addresses.
        var opened = 0

        init(watcher: (any SocketWatcher)?, options: UpstreamOptions) {
            unsafe self.watcher = watcher
            allowsAddress = options.allowsAddress
            guard let url = unsafe curl_url() else { fatalError("curl_url: out of memory") }
            unsafe self.url = url
            let code = unsafe curl_url_set(url, CURLUPART_URL, options.origin + "/", 0)
            precondition(code == CURLUE_OK, "curl_url_set: \(options.origin)")
            // All handles are used by one thread: no locks are needed.
            unsafe share = curl_share_init()
            if let share = unsafe share { unsafe ccurl_share_set_data(share, CURL_LOCK_DATA_SSL_SESSION) }
            unsafe firstAddresses = options.firstAddresses.flatMap { unsafe curl_slist_append(nil, $0) }
            unsafe forgetting = curl_slist_append(nil, "-" + Self.place(in: url))
        }

        deinit {
            // It fails if a handle still uses it: that keeps what it needs.
            unsafe curl_share_cleanup(share)
            unsafe curl_slist_free_all(firstAddresses)
            unsafe curl_slist_free_all(forgetting)
            unsafe curl_url_cleanup(url)
        }

        /// The upstream's `name:port` in the syntax of `CURLOPT_RESOLVE`.
        private static func place(in url: OpaquePointer) -> String {
            func part(_ part: CURLUPart) -> String {
                var text: UnsafeMutablePointer<CChar>?
                unsafe curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT))
                defer { unsafe curl_free(text) }
                return unsafe text.map { unsafe String(cString: $0) } ?? ""
            }
            return "\(part(CURLUPART_HOST)):\(part(CURLUPART_PORT))"
        }

        /// Passes libcurl the addresses to add to or remove from its cache before a transfer or connection.
        ///
        /// > It reads the list once, when the handle begins.
        func applyAddresses(to easy: EasyHandle) {
            if looksUpAnew {
                looksUpAnew = false
                unsafe easy.set(CURLOPT_RESOLVE, forgetting)
            } else if let first = unsafe firstAddresses, !hasGivenAddresses {
                hasGivenAddresses = true
                unsafe easy.set(CURLOPT_RESOLVE, first)
            }
        }

        /// Observes the HTTP/2 frames.
        let frames = FrameObserver()

        /// Transfers in whose sockets libcurl is temporarily not interested.
        var pausedTransfers = 0

        /// Whether libcurl waits for `socket`.
        ///
        /// A pooled connection that its peer has closed, or that carries unrequested bytes, is no longer watched and
        /// not reused; with HTTP/2, libcurl reads such bytes first.
        func isActive(_ socket: Int32) -> Bool {
            let index = Int(socket)
            guard index < sockets.count else { return false }
            if sockets[index].isActive { return true }
            // A socket that libcurl does not wait for may also belong to a paused transfer: then it must not be
            // changed.
            guard sockets[index].isOurs, pausedTransfers == 0 else {
                forgetWatch(index, isClosing: false)
                return false
            }
            if let input = input(of: socket) {
                if keepsUnread, input > 0 {
                    unread[socket, default: 0] += 0
                    (mustCheckIdle, needsKick) = (true, true)
                } else {
                    forgetWatch(index, isClosing: false)
                    retire(socket)
                }
            } else if sockets[index].writable {
                // > 8.x may want to write until a transfer ends, and a socket that is idle can be written to.
                sockets[index].readable = true
                sockets[index].writable = false
                unsafe watcher?.watch(socket, readable: true, writable: false)
            }
            return false
        }

        /// What is waiting to be read: bytes (1), the end (0) or an error (-1); `nil` if nothing is.
        ///
        /// An event alone is not enough: libcurl may already have read the bytes.
        private func input(of socket: Int32) -> Int? {
            var byte: UInt8 = 0
            let count = unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
            return count >= 0 || errno != EAGAIN ? count : nil
        }

        /// libcurl has read idle connections.
        ///
        /// One that has something to read again is checked again. It is closed if libcurl does not read it, because it
        /// has found another one to use, or if the provider does not stop sending.
        ///
        /// - Parameter isLast: whether there is no further check.
        func noteIdleCheck(isLast: Bool = false) {
            for (socket, checks) in unread {
                let index = Int(socket)
                guard sockets[index].isOurs, !sockets[index].isHandedOver, !sockets[index].isActive,
                    pausedTransfers == 0, let input = input(of: socket)
                else {
                    unread[socket] = nil
                    continue
                }
                if input > 0, checks < Self.checkLimit, !isLast {
                    unread[socket] = checks + 1
                    (mustCheckIdle, needsKick) = (true, true)
                } else {
                    unread[socket] = nil
                    forgetWatch(index, isClosing: false)
                    retire(socket)
                }
            }
        }

        /// Makes libcurl notice, at its next check, that the connection has ended.
        ///
        /// > 7.88 peeks before it uses a connection again: only the bare end means no. After a reset it would send into nothing, and
        /// bytes that wait it would take for the answer to the next request.
        private func retire(_ socket: Int32) {
            shutdown(socket, Int32(SHUT_RDWR))
            unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
                // The first read after a reset returns the error; the next one returns the end.
                for _ in 0..<64 {
                    guard unsafe recv(socket, room.baseAddress, room.count, Int32(MSG_DONTWAIT)) > 0
                    else { break }
                }
            }
        }

        /// libcurl wants `socket` to be watched, or no longer watched.
        ///
        /// A socket that we opened stays watched between transfers: removing it from epoll and adding it again costs
        /// more than it saves.
        func socket(_ socket: Int32, wants what: Int32) {
            let index = Int(socket)
            while sockets.count <= index { sockets.append(Socket()) }
            if what == CURL_POLL_REMOVE {
                sockets[index].isActive = false
                // Sockets that libcurl opens without our callback are also closed without it.
                if !sockets[index].isOurs { forgetWatch(index, isClosing: false) }
                return
            }
            let readable = what & CURL_POLL_IN != 0
            let writable = what & CURL_POLL_OUT != 0
            let isWatched = sockets[index].readable == readable && sockets[index].writable == writable
            // > 7.88 closes a socket whose connection is not made yet without our callback: what is known of a number
            // that it begins to wait for may be of another socket.
            if isWatched, sockets[index].isActive { return }
            sockets[index].isActive = true
            sockets[index].readable = readable
            sockets[index].writable = writable
            unsafe watcher?.watch(socket, readable: readable, writable: writable)
        }

        func timer(milliseconds: Int) {
            if milliseconds < 0 {
                deadline = nil
            } else if milliseconds == 0 {
                needsKick = true
                deadline = nil
            } else {
                deadline = now + Int64(milliseconds)
            }
        }

        func openSocket(_ address: inout curl_sockaddr, for easy: EasyHandle) -> Int32 {
            guard let resolved = ResolvedAddress(&address), allowsAddress(resolved) else {
                easy.fault = .prohibitedAddress
                return -1
            }
            guard easy.owner?.easyHandleMayConnect() ?? true else {
                easy.fault = .resendRefused
                return -1
            }
            let socket = Glibc.socket(
                address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
            guard socket >= 0 else { return -1 }
            // Another address of the same name was refused; the result of this one counts now.
            easy.clearRefusal()
            let index = Int(socket)
            while sockets.count <= index { sockets.append(Socket()) }
            sockets[index] = Socket(isOurs: true)
            return socket
        }

        /// Another owner watches `socket` from now on; libcurl still closes it.
        func handOver(_ socket: Int32) {
            sockets[Int(socket)].readable = false
            sockets[Int(socket)].writable = false
            sockets[Int(socket)].isHandedOver = true
        }

        /// The owner that took `socket` over wants it closed now.
        func takeBack(_ socket: Int32) { sockets[Int(socket)].isHandedOver = false }

        func closeSocket(_ socket: Int32) -> Int32 {
            let index = Int(socket)
            if index < sockets.count {
                assert(!sockets[index].isHandedOver, "libcurl closes a socket that is in use")
                forgetWatch(index, isClosing: true)
                sockets[index] = Socket()
            }
            return Glibc.close(socket)
        }

        private func forgetWatch(_ index: Int, isClosing: Bool) {
            guard sockets[index].readable || sockets[index].writable else { return }
            sockets[index].readable = false
            sockets[index].writable = false
            unsafe watcher?.unwatch(Int32(index), isClosing: isClosing)
        }
    }
}
