internal import CMicroHTTPD
internal import Glibc
internal import Loop
internal import Wire

/// The callbacks of libmicrohttpd: each finds its object and calls one method.
///
/// A request object is retained from `begin` to `completed`, which the library calls for every request that began.
enum DaemonCallbacks {
    static let begin: cmhd_begin = { context, target, connection in
        guard let daemon = unsafe daemon(context), let connection = unsafe connection,
            let target = unsafe target, let delegate = daemon.delegate
        else { return nil }
        let request = unsafe withShownTarget(target) { delegate.daemon(daemon, beginsRequestFor: $0) }
        unsafe request.begin(on: connection, of: daemon.client(on: cmhd_socket(connection)))
        return unsafe Unmanaged.passRetained(request).toOpaque()
    }

    /// Calls `body` with the original target: see ``RequestScanner/hiddenQuery``.
    private static func withShownTarget<Result>(
        _ target: UnsafePointer<CChar>, _ body: (Span<UInt8>) -> Result
    ) -> Result {
        let length = unsafe strlen(target)
        guard unsafe memchr(target, Int32(RequestScanner.hiddenQuery), length) != nil else {
            return unsafe body(
                Span(
                    _unsafeStart: UnsafeRawPointer(target).assumingMemoryBound(to: UInt8.self), count: length)
            )
        }
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { copy in
            for index in 0..<length {
                let byte = unsafe UInt8(bitPattern: target[index])
                unsafe copy.initializeElement(
                    at: index, to: byte == RequestScanner.hiddenQuery ? UInt8(ascii: "?") : byte)
            }
            return unsafe body(Span(_unsafeElements: copy))
        }
    }

    static let access: cmhd_access = { _, _, _, method, version, upload, uploadSize, context in
        guard let pointer = unsafe context?.pointee, let uploadSize = unsafe uploadSize else { return 0 }
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(pointer).takeUnretainedValue()
        if request.isGone { return 0 }
        if !request.hasHead {
            guard let method = unsafe method, let version = unsafe version else { return 0 }
            return unsafe request.takeHead(method: method, version: version) ? 1 : 0
        }
        if request.isHeadHeld { return request.releaseHead() ? 1 : 0 }
        if unsafe uploadSize.pointee > 0, let upload = unsafe upload {
            let bytes = unsafe UnsafeRawPointer(upload).assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span<UInt8>(_unsafeStart: bytes, count: uploadSize.pointee)
            unsafe uploadSize.pointee -= request.takeBody(span)
            return request.isAbandoned ? 0 : 1
        }
        return request.takeVisit() ? 1 : 0
    }

    static let completed: cmhd_completed = { _, _, context, reason in
        guard let context = unsafe context, let pointer = unsafe context.pointee else { return }
        unsafe context.pointee = nil
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(pointer).takeRetainedValue()
        request.complete(isWhole: reason == CMHD_COMPLETED_OK)
    }

    static let connection: cmhd_connection = { context, connection, _, event in
        guard let daemon = unsafe daemon(context), let connection = unsafe connection else { return }
        let socket = unsafe cmhd_socket(connection)
        if event == CMHD_CONNECTION_STARTED {
            let session = unsafe cmhd_tls_session(connection).map { OpaquePointer($0) }
            unsafe daemon.begin(socket, connection, session: session)
        } else {
            daemon.end(socket)
        }
    }

    static let log: cmhd_log = { context, format, arguments in
        guard let daemon = unsafe daemon(context), let format = unsafe format,
            let arguments = unsafe arguments
        else { return }
        let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { room in
            unsafe vsnprintf(room.baseAddress, room.count, format, arguments)
            return unsafe room.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        daemon.delegate?.daemon(daemon, logs: text)
    }

    /// The functions of `daemon` that the library calls instead of the system's.
    static func hooks(of daemon: HTTPDaemon) -> cmhd_hooks {
        unsafe cmhd_hooks(
            receive: receive, send: send, receive_record: receiveRecord, send_record: sendRecord,
            handshake: handshake, next_ready: nextReady, change: change,
            context: Unmanaged.passUnretained(daemon).toOpaque())
    }

    /// The next ready client and its events.
    private static let nextReady:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>?, UnsafeMutablePointer<UInt32>?
        ) -> Int32 = { context, tag, events in
            guard let ready = unsafe withDaemon(context, { $0.nextReady() }) ?? nil else { return 0 }
            unsafe tag?.pointee = ready.tag
            unsafe events?.pointee = ready.events
            return 1
        }

    /// The library wants to watch a socket, or no longer.
    private static let change: @convention(c) (UnsafeMutableRawPointer?, Int32, Int32, UInt64) -> Int32 = {
        context, socket, isMember, tag in
        unsafe daemon(context)?.change(socket, isMember: isMember != 0, tag: tag) ?? 0
    }

    /// Receives for libmicrohttpd: the scanner checks the client's bytes first.
    private static let receive:
        @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeMutableRawPointer?, Int, Int32) -> Int = {
            context, socket, bytes, room, flags in
            guard let client = unsafe withDaemon(context, { $0.client(on: socket) }) ?? nil,
                let bytes = unsafe bytes, flags & Int32(MSG_PEEK) == 0
            else { return unsafe cmhd_receive(socket, bytes, room, flags) }
            return unsafe client.receive(
                into: UnsafeMutableRawBufferPointer(start: bytes, count: room), flags)
        }

    /// The same with TLS.
    private static let receiveRecord:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32, UnsafeMutableRawPointer?, Int
        ) -> Int = { context, session, socket, bytes, room in
            guard let daemon = unsafe daemon(context), let client = daemon.client(on: socket),
                client.machine.isEncrypted, let bytes = unsafe bytes
            else { return unsafe cmhd_receive_record(session, bytes, room) }
            return unsafe client.receive(into: UnsafeMutableRawBufferPointer(start: bytes, count: room), 0)
        }

    /// Continues a client's handshake.
    private static let handshake:
        @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32) -> Int32 = {
            context, session, socket in
            guard let client = unsafe daemon(context)?.client(on: socket), client.machine.isEncrypted else {
                return unsafe cmhd_handshake(session)
            }
            // It reads and writes as far as possible: only later events matter.
            _ = client.takeNews()
            let result = unsafe cmhd_handshake(session)
            if result == 0 { client.handle(.handshakeEnded) }
            if TLSSession.isInterrupted(result) {
                client.daemon.handshaking.append(client)
            } else if result < 0 {
                client.session?.reportFailure(result)
            }
            return result
        }

    /// Sends for libmicrohttpd: inserts the fields into a response's head.
    private static let send:
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafeRawPointer?, Int, UnsafeRawPointer?, Int, Int32
        ) -> Int = { context, socket, bytes, count, more, moreCount, flags in
            let client = unsafe withDaemon(context, { $0.client(on: socket) }) ?? nil
            let sent: Int
            switch unsafe client?.request?.sendHead(
                insteadOf: UnsafeRawBufferPointer(start: bytes, count: count),
                with: UnsafeRawBufferPointer(start: more, count: moreCount), flags: flags)
            {
            case .done(let ofBody): sent = count + ofBody
            case .later:
                errno = EAGAIN
                sent = -1
            case .failed:
                errno = EPIPE
                return -1
            case nil: sent = unsafe cmhd_send(socket, bytes, count, more, moreCount, flags)
            }
            guard sent < count + moreCount else { return sent }
            let number = errno
            client?.handle(.sendingStalls)
            errno = number
            return sent
        }

    /// The same with TLS.
    private static let sendRecord:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32, UnsafeRawPointer?, Int
        ) -> Int = { context, session, socket, bytes, count in
            let client = unsafe withDaemon(context, { $0.client(on: socket) }) ?? nil
            let sent =
                switch unsafe client?.request?.sendHead(
                    insteadOf: UnsafeRawBufferPointer(start: bytes, count: count),
                    with: UnsafeRawBufferPointer(start: nil, count: 0), flags: 0)
                {
                case .done: count
                case .later: TLSSession.nothingYet
                case .failed: TLSSession.takesNothing
                case nil: unsafe cmhd_send_record(session, bytes, count)
                }
            if sent < count { client?.handle(.sendingStalls) }
            return sent
        }

    /// The content reader of a streamed response.
    static let read: MHD_ContentReaderCallback = { context, _, bytes, room in
        guard let context = unsafe context else { return -2 }
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(context).takeUnretainedValue()
        return unsafe request.readBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: room))
    }

    /// Calls `body` with the daemon, which outlives the call: no reference is counted.
    @inline(__always)
    private static func withDaemon<Result>(
        _ context: UnsafeMutableRawPointer?, _ body: (HTTPDaemon) -> Result
    ) -> Result? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<HTTPDaemon>.fromOpaque(context)._withUnsafeGuaranteedRef { daemon in
            daemon.loop.confinement.assertKept()
            return body(daemon)
        }
    }

    private static func daemon(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon? {
        guard let context = unsafe context else { return nil }
        let daemon = unsafe Unmanaged<HTTPDaemon>.fromOpaque(context).takeUnretainedValue()
        daemon.loop.confinement.assertKept()
        return daemon
    }
}
