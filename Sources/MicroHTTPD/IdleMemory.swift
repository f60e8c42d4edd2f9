internal import CMicroHTTPD
internal import Glibc

/// The memory of a connection's pool, given back to the system while the connection is idle.
///
/// libmicrohttpd keeps a pool for each connection and fills it with zeros after each request, so all of it stays resident.
/// Between two requests nothing of it is in use, and what the system gives anew is zeros as well.
@safe struct IdleMemory {
    private let start: UInt
    private let end: UInt
    /// Whether nothing has been received since it was given back.
    private var isGivenBack = false
    /// Whether something has been received since the last look.
    private var wasUsed = true

    /// - Parameters:
    ///   - room: where the first bytes of the connection go.
    ///   - pool: the size of the pool, in bytes.
    init(firstRoom room: UnsafeMutableRawBufferPointer, pool: Int) {
        start = UInt(bitPattern: room.baseAddress)
        // The first room is the lower half of the pool; where it is not, no more than the room is known to be free.
        end = start + UInt(Self.layoutIsKnown && room.count == pool / 2 ? pool : room.count)
    }

    /// How the pool is laid out is no promise of the library's: these versions were read.
    private static let layoutIsKnown = unsafe String(cString: MHD_get_version()).hasPrefix("0.9.7")

    /// Something has been received.
    mutating func use() {
        wasUsed = true
        isGivenBack = false
    }

    /// Gives back the pages of an idle connection that has not been used since the last call.
    ///
    /// - Returns: whether there may be something to give back later.
    mutating func giveBack(isIdle: Bool) -> Bool {
        if isGivenBack { return false }
        guard isIdle, !wasUsed else {
            wasUsed = false
            return true
        }
        isGivenBack = true
        let page = UInt(getpagesize())
        let first = (start + page - 1) / page * page
        let last = end / page * page
        if first < last {
            unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), Int(last - first), MADV_DONTNEED)
        }
        return false
    }
}
