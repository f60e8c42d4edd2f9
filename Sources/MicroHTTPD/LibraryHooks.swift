internal import CMicroHTTPD
internal import CReadiness
internal import CReceive
internal import Glibc

/// Whether libmicrohttpd calls this program's functions where it is relied on: found out once, from a daemon with a single connection.
///
/// That the linker took the program's recv() says what a library gets that calls recv(): another build may call something else.
enum LibraryHooks {
    /// What is wrong without TLS; `nil` if nothing is.
    static let plainFault: String? = {
        guard creceive_is_used() != 0 else { return "it does not get this program's recv()" }
        guard creadiness_is_used() != 0 else { return "it does not get this program's epoll_wait()" }
        return isCalled(usingTLS: false) ? nil : "it does not receive with recv()"
    }()

    /// What is wrong with TLS; `nil` if nothing is.
    static let fault: String? = {
        if let plainFault { return plainFault }
        guard creceive_records_are_used() != 0 else {
            return "it does not get this program's gnutls_record_recv()"
        }
        return isCalled(usingTLS: true) ? nil : "it does not make handshakes with gnutls_handshake()"
    }()

    /// How often the library is run until it must have read.
    private static let runs = 4

    /// Whether a daemon that has something to read calls the hook that stands there first.
    ///
    /// - Parameter isSet: whether the hook is set at all.
    static func isCalled(usingTLS: Bool, isSet: Bool = true) -> Bool {
        var settings = unsafe cmhd_settings()
        unsafe settings.connection_memory = 4096
        unsafe settings.connection_limit = 1
        unsafe settings.access = { _, _, _, _, _, _, _, _ in 0 }
        unsafe settings.begin = { _, _, _ in nil }
        unsafe settings.completed = { _, _, _, _ in }
        unsafe settings.connection = { _, _, _, _ in }
        unsafe settings.log = { _, _, _ in }
        unsafe settings.uses_tls = usingTLS ? 1 : 0
        var (near, far): (Int32, Int32) = (-1, -1)
        guard unsafe creceive_pair(&near, &far) == 0 else { return false }
        defer { close(far) }
        guard let daemon = unsafe cmhd_start(&settings) else {
            close(near)
            return false
        }
        defer { unsafe MHD_stop_daemon(daemon) }
        // Of no family that the library knows: it is not looked at.
        var address: UInt64 = 0
        var byte: UInt8 = 0
        guard unsafe cmhd_add(daemon, near, &address, UInt32(MemoryLayout<UInt64>.size)) != 0,
            unsafe creceive_send(far, &byte, 1, 0) == 1
        else { return false }
        var isCalled = false
        unsafe withUnsafeMutablePointer(to: &isCalled) { flag in
            for _ in 0..<runs where unsafe !flag.pointee {
                if isSet { unsafe set(usingTLS, flag) }
                unsafe MHD_run(daemon)
                creceive_end()
                creceive_end_records()
            }
        }
        return isCalled
    }

    private static func set(_ usesTLS: Bool, _ flag: UnsafeMutablePointer<Bool>) {
        if usesTLS {
            unsafe creceive_begin_records(
                { _, session, _, bytes, room in unsafe creceive_record(session, bytes, room) },
                { context, session, _ in
                    unsafe context?.assumingMemoryBound(to: Bool.self).pointee = true
                    return unsafe creceive_handshake(session)
                }, flag)
        } else {
            unsafe creceive_begin(
                { context, socket, bytes, room, flags in
                    unsafe context?.assumingMemoryBound(to: Bool.self).pointee = true
                    return unsafe creceive(socket, bytes, room, flags)
                }, flag)
        }
    }
}
