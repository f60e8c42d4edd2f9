internal import CMicroHTTPD
internal import Glibc
internal import Loop

/// Checks once that libmicrohttpd calls Weir's hooks (see `hooks.c`) and no other functions instead.
///
/// A daemon gets a request that exists only in the hooks, and its response must be sent only through them.
enum LibraryHooks {
    /// A hook that a test leaves out: the library then gets the original function.
    enum Hook { case receiving, sending, readiness, handshake }

    /// The problem without TLS; `nil` if there is none.
    static let plainFault: String? = fault(usingTLS: false)

    /// The problem with TLS; `nil` if there is none.
    static let fault: String? = plainFault ?? fault(usingTLS: true)

    /// What a daemon has done with its hooks.
    fileprivate struct Probe {
        let omitted: Hook?
        /// The part of the request that has not been received.
        var unread = StaticString("GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n").bytes
        /// The library's tag of the connection while it watches it: a pointer into the library.
        var tag: UInt64?
        var wasWatched = false
        /// Whether the library was notified in this run that the socket is ready.
        var isReported = false
        var hasHandshake = false
        var answers = 0
        var sent: [UInt8] = []
    }

    private static let answer: StaticString = "proven"
    /// How often the library is run until it must have responded.
    private static let runs = 8

    /// The problem; `nil` if there is none.
    static func fault(usingTLS: Bool, without omitted: Hook? = nil) -> String? {
        var (near, far): (Int32, Int32) = (-1, -1)
        guard unsafe cmhd_socket_pair(&near, &far) == 0 else { return "no socket pair to try it with" }
        defer { close(far) }
        var probe = Probe(omitted: omitted)
        return unsafe withUnsafeMutablePointer(to: &probe) { probe in
            var settings = unsafe settings(probe)
            unsafe settings.uses_tls = usingTLS ? 1 : 0
            guard let daemon = unsafe cmhd_start(&settings) else {
                close(near)
                return "no daemon to try it with"
            }
            var hooks = unsafe hooks(probe)
            return unsafe withUnsafePointer(to: &hooks) { hooks in
                let epoll = unsafe cmhd_epoll_fd(daemon)
                if omitted != .readiness { unsafe cmhd_bind_epoll(epoll, hooks) }
                unsafe answerRequest(daemon, hooks, socket: near, probe)
                // Before the daemon stops: GnuTLS then sends its close_notify.
                var byte: UInt8 = 0
                let leaked = unsafe cmhd_receive(far, &byte, 1, 0) > 0
                unsafe MHD_stop_daemon(daemon)
                unsafe cmhd_unbind_epoll(epoll, hooks)
                return unsafe judge(probe.pointee, leaked: leaked, usingTLS: usingTLS)
            }
        }
    }

    private static func judge(_ probe: Probe, leaked: Bool, usingTLS: Bool) -> String? {
        if !probe.wasWatched { return "it does not watch its clients by epoll_ctl()" }
        if usingTLS, !probe.hasHandshake { return "it does not make handshakes by gnutls_handshake()" }
        let receiving = usingTLS ? "gnutls_record_recv()" : "recv()"
        if probe.answers == 0 { return "it does not receive by \(receiving), or wait by epoll_wait()" }
        let expected = unsafe Array(
            UnsafeBufferPointer(start: answer.utf8Start, count: answer.utf8CodeUnitCount))
        if leaked || probe.sent.suffix(expected.count) != expected[...] {
            return "it does not send by \(usingTLS ? "gnutls_record_send()" : "send() and sendmsg()")"
        }
        return nil
    }

    private static func answerRequest(
        _ daemon: OpaquePointer, _ hooks: UnsafePointer<cmhd_hooks>, socket: Int32,
        _ probe: UnsafeMutablePointer<Probe>
    ) {
        // A family that the library does not know: it is not inspected.
        var address: UInt64 = 0
        guard unsafe cmhd_add(daemon, socket, &address, UInt32(MemoryLayout<UInt64>.size)) != 0 else {
            return
        }
        for _ in 0..<runs {
            unsafe probe.pointee.isReported = false
            unsafe cmhd_enter(hooks)
            unsafe MHD_run(daemon)
            cmhd_leave()
        }
    }

    private static func settings(_ probe: UnsafeMutablePointer<Probe>) -> cmhd_settings {
        var settings = unsafe cmhd_settings()
        unsafe settings.connection_memory = 4096
        unsafe settings.connection_limit = 1
        unsafe settings.access = { context, connection, _, _, _, _, _, request in
            guard let probe = unsafe LibraryHooks.probe(context), let request = unsafe request else {
                return 0
            }
            if unsafe request.pointee == nil {
                unsafe request.pointee = context
                return 1
            }
            let bytes = unsafe UnsafeMutableRawPointer(mutating: LibraryHooks.answer.utf8Start)
            guard let connection = unsafe connection,
                let response = unsafe cmhd_buffer_response(LibraryHooks.answer.utf8CodeUnitCount, bytes)
            else { return 0 }
            defer { unsafe MHD_destroy_response(response) }
            unsafe probe.pointee.answers += 1
            return unsafe cmhd_queue(connection, 200, response)
        }
        unsafe settings.begin = { _, _, _ in nil }
        unsafe settings.completed = { _, _, _, _ in }
        unsafe settings.connection = { context, _, _, event in
            if event != CMHD_CONNECTION_STARTED { unsafe LibraryHooks.probe(context)?.pointee.tag = nil }
        }
        unsafe settings.log = { _, _, _ in }
        unsafe settings.context = UnsafeMutableRawPointer(probe)
        return unsafe settings
    }

    private static func hooks(_ probe: UnsafeMutablePointer<Probe>) -> cmhd_hooks {
        unsafe cmhd_hooks(
            receive: { context, socket, bytes, room, flags in
                guard let probe = unsafe LibraryHooks.probe(context),
                    unsafe probe.pointee.omitted != .receiving
                else { return unsafe cmhd_receive(socket, bytes, room, flags) }
                if let count = unsafe probe.pointee.take(into: bytes, room) { return count }
                errno = EAGAIN
                return -1
            },
            send: { context, socket, bytes, count, more, moreCount, flags in
                guard let probe = unsafe LibraryHooks.probe(context), unsafe probe.pointee.omitted != .sending
                else { return unsafe cmhd_send(socket, bytes, count, more, moreCount, flags) }
                unsafe probe.pointee.sent += UnsafeRawBufferPointer(start: bytes, count: count)
                unsafe probe.pointee.sent += UnsafeRawBufferPointer(start: more, count: moreCount)
                return count + moreCount
            },
            receive_record: { context, session, _, bytes, room in
                guard let probe = unsafe LibraryHooks.probe(context),
                    unsafe probe.pointee.omitted != .receiving
                else { return unsafe cmhd_receive_record(session, bytes, room) }
                return unsafe probe.pointee.take(into: bytes, room) ?? TLSSession.nothingYet
            },
            send_record: { context, session, _, bytes, count in
                guard let probe = unsafe LibraryHooks.probe(context), unsafe probe.pointee.omitted != .sending
                else { return unsafe cmhd_send_record(session, bytes, count) }
                unsafe probe.pointee.sent += UnsafeRawBufferPointer(start: bytes, count: count)
                return count
            },
            handshake: { context, session, _ in
                guard let probe = unsafe LibraryHooks.probe(context),
                    unsafe probe.pointee.omitted != .handshake
                else { return unsafe cmhd_handshake(session) }
                unsafe probe.pointee.hasHandshake = true
                return 0
            },
            next_ready: { context, tag, events in
                guard let probe = unsafe LibraryHooks.probe(context), let known = unsafe probe.pointee.tag,
                    unsafe !probe.pointee.isReported
                else { return 0 }
                unsafe probe.pointee.isReported = true
                unsafe tag?.pointee = known
                unsafe events?.pointee = Readiness.readable.union(.writable).rawValue
                return 1
            },
            change: { context, _, isMember, tag in
                guard let probe = unsafe LibraryHooks.probe(context) else { return 0 }
                unsafe probe.pointee.tag = isMember != 0 ? tag : nil
                if isMember != 0 { unsafe probe.pointee.wasWatched = true }
                return 0
            }, context: UnsafeMutableRawPointer(probe))
    }

    private static func probe(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Probe>? {
        unsafe context?.assumingMemoryBound(to: Probe.self)
    }
}

extension StaticString {
    fileprivate var bytes: ArraySlice<UInt8> {
        unsafe Array(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))[...]
    }
}

extension LibraryHooks.Probe {
    /// Returns bytes of the request; `nil` if all have been returned.
    fileprivate mutating func take(into bytes: UnsafeMutableRawPointer?, _ room: Int) -> Int? {
        let part = unread.prefix(room)
        guard let bytes = unsafe bytes, !part.isEmpty else { return nil }
        unsafe part.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: bytes, count: room).copyMemory(from: source)
        }
        unread.removeFirst(part.count)
        return part.count
    }
}

/// The version of the running libmicrohttpd.
enum LibraryVersion {
    /// Such as `0.9.75`.
    static let text = unsafe String(cString: MHD_get_version())

    /// Whether Weir may rely on undocumented behaviour: that the first bytes of a connection go to the lower half of
    /// its memory.
    ///
    /// The sources of 0.9.75 and 1.0.1 were checked.
    static let isKnown = text.hasPrefix("0.9.7") || text.hasPrefix("1.0.")
}
