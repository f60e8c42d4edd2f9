internal import CErasure

/// The zeros that libmicrohttpd writes over the memory of its connections.
enum PoolZeros {
    /// Whether they are written only where there is something else.
    ///
    /// > 0.9.75 and 1.0.1 fill what it does not keep of a connection's pool after each request ("technically not needed, but safer", memorypool.c), and
    /// what a head has left of its half of it before: 24 KiB in each exchange, of which a tenth is anything but zeros already. The other
    /// nine tenths would drive from the processor's caches what the next exchange needs. A pool begins as malloc() gives it.
    static let areSpared: Bool = {
        guard PoolZeros.isRead, cerasure_is_used() != 0 else { return false }
        unsafe cerasure_spare("MHD_run")
        return true
    }()

    /// Whether the library is of a version that is known to deal with its pools so; that is no promise.
    static let isRead = LibraryVersion.isKnown
}
