internal import CMicroHTTPD
internal import CReceive
internal import Glibc
internal import HTTPWire

/// The functions that libmicrohttpd calls: each finds its objects and calls one method.
///
/// A request object is retained from `begin` to `completed`, which the library calls for every request that began.
enum DaemonCallbacks {
    static let begin: cmhd_begin = { context, target, connection in
        guard let daemon = unsafe daemon(context), let connection = unsafe connection,
            let target = unsafe target, let delegate = daemon.delegate
        else { return nil }
        let length = unsafe strlen(target)
        let bytes = unsafe UnsafeRawPointer(target).assumingMemoryBound(to: UInt8.self)
        let request = delegate.daemon(
            daemon, beginsRequestFor: unsafe Span(_unsafeStart: bytes, count: length))
        unsafe request.begin(on: connection, of: daemon.client(on: cmhd_socket(connection)))
        // > Query parsing cannot be turned off; a long query hangs (0.9.75). The target has been copied, the memory is the
        // library's own: cut the query off before it looks.
        if let query = unsafe strchr(target, Int32(UInt8(ascii: "?"))) { unsafe query[1] = 0 }
        return unsafe Unmanaged.passRetained(request).toOpaque()
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

    /// What epoll_wait() is for libmicrohttpd, a client at a time.
    static let nextReady:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>?, UnsafeMutablePointer<UInt32>?
        ) -> Int32 = { context, tag, events in
            guard let ready = unsafe withDaemon(context, { $0.nextReady() }) ?? nil else { return 0 }
            unsafe tag?.pointee = ready.tag
            unsafe events?.pointee = ready.events
            return 1
        }

    /// What epoll_ctl() is for it.
    static let change: @convention(c) (UnsafeMutableRawPointer?, Int32, Int32, UInt64) -> Int32 = {
        context, socket, isMember, tag in
        unsafe daemon(context)?.change(socket, isMember: isMember != 0, tag: tag) ?? 0
    }

    /// Receives for libmicrohttpd: the client's bytes are looked at before it sees them.
    static let receive: creceive_reader = { context, socket, bytes, room, flags in
        guard let client = unsafe withDaemon(context, { $0.client(on: socket) }) ?? nil,
            let bytes = unsafe bytes, flags & Int32(MSG_PEEK) == 0
        else { return unsafe creceive(socket, bytes, room, flags) }
        return unsafe client.receive(into: UnsafeMutableRawBufferPointer(start: bytes, count: room), flags)
    }

    /// The same where TLS is spoken.
    static let receiveRecord: creceive_record_reader = { context, session, socket, bytes, room in
        guard let daemon = unsafe daemon(context), let client = daemon.client(on: socket), client.isEncrypted,
            let bytes = unsafe bytes
        else { return unsafe creceive_record(session, bytes, room) }
        return unsafe client.receive(into: UnsafeMutableRawBufferPointer(start: bytes, count: room), 0)
    }

    /// Goes on with a client's handshake.
    static let handshake: creceive_handshaker = { context, session, socket in
        guard let client = unsafe daemon(context)?.client(on: socket), client.isEncrypted else {
            return unsafe creceive_handshake(session)
        }
        // It reads and writes as far as it can: only what happens from now on is news to it.
        _ = client.takeNews()
        let result = unsafe creceive_handshake(session)
        if result == 0 { client.session?.isEstablished = true }
        if TLSSession.isInterrupted(result) { client.daemon.handshaking.append(client) }
        return result
    }

    /// Sends for libmicrohttpd while bytes of an answer are in a pipe, or its head is not the library's.
    static let send: creceive_sender = { context, socket, bytes, count, flags in
        let request = unsafe daemon(context)?.client(on: socket)?.request
        let block = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        switch unsafe request?.sendOwnHead(insteadOf: block) {
        case .done: return count
        case .later:
            errno = EAGAIN
            return -1
        case .failed:
            errno = EPIPE
            return -1
        case nil:
            return unsafe request?.sendPiped(bytes, count, on: socket)
                ?? creceive_send(socket, bytes, count, flags)
        }
    }

    /// The same where TLS is spoken.
    static let sendRecord: creceive_record_sender = { context, session, socket, bytes, count in
        let request = unsafe daemon(context)?.client(on: socket)?.request
        let block = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        return switch unsafe request?.sendOwnHead(insteadOf: block) {
        case .done: count
        case .later: TLSSession.nothingYet
        case .failed: TLSSession.takesNothing
        case nil: unsafe creceive_send_record(session, bytes, count)
        }
    }

    /// The content reader of a streamed answer.
    static let read: MHD_ContentReaderCallback = { context, _, bytes, room in
        guard let context = unsafe context else { return -2 }
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(context).takeUnretainedValue()
        return unsafe request.readBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: room))
    }

    /// The content reader of an answer whose body is in memory, and its head not the library's.
    static let readMemory: MHD_ContentReaderCallback = { context, position, bytes, room in
        guard let context = unsafe context, let bytes = unsafe bytes else { return -2 }
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(context).takeUnretainedValue()
        let body = unsafe request.bodyInMemory
        guard position < UInt64(body.count) else { return -1 }
        let part = unsafe UnsafeRawBufferPointer(rebasing: body[Int(position)...].prefix(room))
        unsafe UnsafeMutableRawBufferPointer(start: bytes, count: room).copyMemory(from: part)
        return part.count
    }

    /// What `body` makes of the daemon, which outlives the call: no reference is counted.
    @inline(__always)
    private static func withDaemon<Result>(
        _ context: UnsafeMutableRawPointer?, _ body: (HTTPDaemon) -> Result
    ) -> Result? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<HTTPDaemon>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    }

    private static func daemon(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon? {
        unsafe context.map { unsafe Unmanaged<HTTPDaemon>.fromOpaque($0).takeUnretainedValue() }
    }
}
