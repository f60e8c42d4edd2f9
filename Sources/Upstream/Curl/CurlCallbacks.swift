internal import CCurl
internal import CFrames
internal import Glibc
internal import Wire

/// The C callbacks of libcurl: each finds its object and calls one method.
enum CurlCallbacks {
    static let header: ccurl_io = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let line = unsafe Span<UInt8>(_unsafeStart: bytes.asBytes, count: size * count)
        return transfer.didReceiveHeaderLine(line) ? line.count : 0
    }

    static let write: ccurl_io = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.didReceiveBody(unsafe Span<UInt8>(_unsafeStart: bytes.asBytes, count: size * count))
    }

    static let read: ccurl_io = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return Int(CURL_READFUNC_ABORT) }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return unsafe transfer.wantsBody(
            into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    static let debug: ccurl_debug = { _, type, bytes, count, context in
        guard type == CURLINFO_TEXT, let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let easy = unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
        let line = unsafe Span<UInt8>(_unsafeStart: bytes.asBytes, count: count)
        var text: [UInt8] = []
        for index in 0..<min(line.count, 256) where (0x20...0x7E).contains(line[index]) {
            text.append(line[index])
        }
        if let alert = TLSAlert(message: String(decoding: text, as: UTF8.self)) { easy.lateAlert = alert }
        return 0
    }

    static let progress: ccurl_progress = { context, _, _, _, _ in
        guard let context = unsafe context else { return 0 }
        unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().didMakeProgress()
        return 0
    }

    /// The pre-request callback of a handle that sends no request.
    static let sendNothing: ccurl_prereq = { _, _, _, _, _ in CURL_PREREQFUNC_ABORT }

    static let prereq: ccurl_prereq = { context, _, _, _, _ in
        guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.mayConnect() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    static let openSocket: ccurl_open_socket = { context, _, address in
        guard let context = unsafe context, let address = unsafe address else { return -1 }
        let easy = unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
        return unsafe easy.hooks.openSocket(&address.pointee, for: easy)
    }

    static let closeSocket: ccurl_close_socket = { context, socket in
        guard let context = unsafe context else { return close(socket) }
        return unsafe Unmanaged<CurlMulti.Hooks>.fromOpaque(context).takeUnretainedValue().closeSocket(socket)
    }

    static let socket: ccurl_socket = { _, socket, what, context, _ in
        guard let context = unsafe context else { return 0 }
        unsafe Unmanaged<CurlMulti.Hooks>.fromOpaque(context).takeUnretainedValue()
            .socket(socket, wants: what)
        return 0
    }

    static let frame: cframes_observer = { context, event, connection, request, number in
        guard let context = unsafe context else { return 0 }
        let hooks = unsafe Unmanaged<CurlMulti.Hooks>.fromOpaque(context).takeUnretainedValue()
        return hooks.frames.record(
            event, of: UInt(bitPattern: connection), request: unsafe request.map { UInt(bitPattern: $0) },
            number: number) ? 1 : 0
    }

    static let timer: ccurl_timer = { _, milliseconds, context in
        guard let context = unsafe context else { return 0 }
        unsafe Unmanaged<CurlMulti.Hooks>.fromOpaque(context).takeUnretainedValue()
            .timer(milliseconds: milliseconds)
        return 0
    }
}

extension UnsafeMutablePointer<CChar> {
    /// The same memory as bytes; it belongs to libcurl and is valid during the callback.
    fileprivate var asBytes: UnsafePointer<UInt8> {
        unsafe UnsafeRawPointer(self).assumingMemoryBound(to: UInt8.self)
    }
}
