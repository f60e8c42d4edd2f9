internal import Glibc

/// The memory of a connection's pool, given back to the system while nothing happens on the connection.
///
/// libmicrohttpd keeps a pool for each connection, and fills what a request has used of it with zeros: it stays resident. What the system
/// gives anew is zeros as well. What is no zero is kept elsewhere, and put back before anybody looks: the library finds its memory as it
/// left it, whatever it keeps there.
@safe struct IdleMemory {
    /// What a call has done.
    enum Step {
        /// There is nothing to give back, now or later.
        case none
        /// There may be something to give back later.
        case later
        case given
    }

    /// What stood in a page.
    private struct Piece {
        let start: UInt
        let bytes: [UInt8]
    }

    private let start: UInt
    private let end: UInt
    /// Whether nothing has been received since it was given back.
    private var isGivenBack = false
    /// Whether something has been received since the last look.
    private var wasUsed = true
    private var pieces: [Piece] = []

    /// - Parameters:
    ///   - room: where the first bytes of the connection go.
    ///   - pool: the size of the pool, in bytes.
    init(firstRoom room: UnsafeMutableRawBufferPointer, pool: Int) {
        start = UInt(bitPattern: room.baseAddress)
        // The first room is the lower half of the pool; where it is not, no more than the room is known to be free.
        end = start + UInt(LibraryVersion.isKnown && room.count == pool / 2 ? pool : room.count)
    }

    private static let page = UInt(getpagesize())

    /// Something has been received, or a request goes on.
    mutating func use() {
        if !pieces.isEmpty { return putBack() }
        wasUsed = true
        isGivenBack = false
    }

    /// Gives back the pages of a connection that has not been used since the last call, if it `rests`.
    mutating func giveBack(rests: Bool) -> Step {
        if isGivenBack { return .none }
        guard rests, !wasUsed else {
            wasUsed = false
            return .later
        }
        isGivenBack = true
        let first = (start + Self.page - 1) / Self.page * Self.page
        let last = end / Self.page * Self.page
        guard first < last else { return .none }
        guard keep(from: first, to: last) else { return .none }
        unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), Int(last - first), MADV_DONTNEED)
        return .given
    }

    /// Puts everything where it was.
    mutating func putBack() {
        for piece in pieces {
            guard let place = unsafe UnsafeMutableRawPointer(bitPattern: piece.start) else { continue }
            unsafe piece.bytes.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                unsafe place.copyMemory(from: source, byteCount: bytes.count)
            }
        }
        pieces = []
        use()
    }

    /// Keeps what is between the zeros of each page.
    ///
    /// - Returns: whether that is so little that the pages are worth giving back.
    private mutating func keep(from first: UInt, to last: UInt) -> Bool {
        var size = 0
        for page in stride(from: first, to: last, by: Int(Self.page)) {
            guard let pointer = unsafe UnsafeRawPointer(bitPattern: page) else { continue }
            let words = unsafe UnsafeRawBufferPointer(start: pointer, count: Int(Self.page))
                .bindMemory(to: UInt64.self)
            guard let head = unsafe words.firstIndex(where: { $0 != 0 }),
                let tail = unsafe words.lastIndex(where: { $0 != 0 })
            else { continue }
            let bytes = unsafe Array(
                UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: words[head...tail])))
            pieces.append(Piece(start: page + UInt(head) * 8, bytes: bytes))
            size += bytes.count
        }
        if size <= Int(last - first) / 4 { return true }
        pieces = []
        return false
    }
}
