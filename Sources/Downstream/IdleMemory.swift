internal import Glibc

/// Releases the memory of a connection's pool while nothing happens on the connection.
///
/// libmicrohttpd keeps a pool per connection, and fills the part that a request has used with zeros, so it stays
/// resident. Memory newly provided by the system contains zeros as well. Non-zero contents are saved elsewhere and
/// restored before the library accesses them: it finds its memory unchanged, whatever it stores there.
@safe struct IdleMemory {
    /// The result of a call.
    enum Step {
        /// There is nothing to release, now or later.
        case none
        /// There may be something to release later.
        case later
        case given
    }

    /// The saved contents of a page.
    private struct Piece {
        let start: UInt
        let bytes: [UInt8]
    }

    private let start: UInt
    private let end: UInt
    /// Whether nothing has been received since the release.
    private var isGivenBack = false
    /// Whether something has been received since the last check.
    private var wasUsed = true
    private var pieces: [Piece] = []

    /// - Parameters:
    ///   - room: the buffer for the first bytes of the connection.
    ///   - pool: the size of the pool, in bytes.
    init(firstRoom room: UnsafeMutableRawBufferPointer, pool: Int) {
        start = UInt(bitPattern: room.baseAddress)
        // The first buffer is the lower half of the pool; otherwise only the buffer itself is known to be free.
        end = start + UInt(LibraryVersion.isKnown && room.count == pool / 2 ? pool : room.count)
    }

    private static let page = UInt(getpagesize())

    /// Something has been received, or a request continues.
    mutating func use() {
        if !pieces.isEmpty { return putBack() }
        wasUsed = true
        isGivenBack = false
    }

    /// Releases the pages of a connection that has not been used since the last call, if it `rests`.
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

    /// Restores everything.
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

    /// Saves the non-zero part of each page.
    ///
    /// - Returns: whether it is small enough for the release to be worthwhile.
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
