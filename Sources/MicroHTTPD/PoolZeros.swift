internal import CErasure
internal import CMicroHTTPD

/// The zeros that libmicrohttpd writes over the memory of its connections.
enum PoolZeros {
    /// Whether they are written only where there is something else.
    ///
    /// > 0.9.75 fills what it does not keep of a connection's pool after each request ("technically not needed, but safer", memorypool.c), and
    /// what a head has left of its half of it before: 24 KiB in each exchange, of which a tenth is anything but zeros already. The other
    /// nine tenths would drive from the processor's caches what the next exchange needs. A pool begins as malloc() gives it.
    static let areSpared: Bool = {
        guard PoolZeros.isRead, cerasure_is_used() != 0 else { return false }
        unsafe cerasure_spare("MHD_run")
        return true
    }()

    /// How the library deals with its pools is no promise: these versions were read.
    static let isRead = unsafe String(cString: MHD_get_version()).hasPrefix("0.9.7")
}
