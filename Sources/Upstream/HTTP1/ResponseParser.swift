internal import Wire

/// Reads one HTTP/1.1 response (RFC 9112) from pieces of any size.
///
/// A value without I/O: it returns events until it needs more bytes. The head is stored in a ``ResponseHead``; for
/// the body it returns ranges of the piece, and copies nothing.
package struct ResponseParser {
    /// The next event.
    package enum Event: Equatable {
        /// All bytes are consumed.
        case needsMore
        /// An interim response is complete and in the head; ``ResponseHead/endInterim()`` must be called before the
        /// next event.
        case interim
        /// The head is complete.
        case head
        /// These bytes of the piece belong to the body.
        case body(Range<Int>)
        /// The response is complete; the rest of the piece does not belong to it.
        case complete
        /// The response is invalid, and what follows cannot be interpreted.
        case invalid(TransferFault)
    }

    private enum State {
        case head
        case afterHead
        case length(left: Int64)
        case chunks(ChunkReader)
        case trailers
        case untilEnd
        case complete
    }

    private var state = State.head
    private var isHead = false
    /// An incomplete line: all of it, or the beginning of one that is too long to keep.
    private var line: [UInt8] = []
    /// The length of that line.
    private var lineLength = 0
    private var trailerBytes = 0
    /// Whether any byte has arrived.
    package private(set) var hasBegun = false

    /// The maximum size of the trailers in bytes; those that are too many to keep are skipped before.
    private static let trailerLimit = ResponseHead.byteLimit

    /// A longer line is only skipped.
    private static let trailerLineLimit = 16 << 10

    package init() {}

    /// Begins a new response.
    ///
    /// - Parameter isHead: whether it answers a HEAD request, and therefore has no body whatever its fields say.
    package mutating func begin(isHead: Bool) {
        state = .head
        self.isHead = isHead
        endLine()
        trailerBytes = 0
        hasBegun = false
    }

    /// Whether a response that ends with the connection is complete here (RFC 9112 8).
    package var endsWithConnection: Bool {
        if case .untilEnd = state { return true }
        return false
    }

    /// Whether the message, rather than the connection, determines the end of the body.
    package var isSelfDelimited: Bool {
        switch state {
        case .untilEnd: false
        default: true
        }
    }

    /// How many of the next bytes certainly belong to the body without completing it; 0 if unknown.
    package var certainBody: Int {
        guard case .length(let left) = state, left > 1 else { return 0 }
        return Int(min(left - 1, Int64(Int.max)))
    }

    /// How many bytes of the body remain; 0 if unknown.
    package var bodyLeft: Int64 {
        if case .length(let left) = state { left } else { 0 }
    }

    /// Skips bytes of the body that were received elsewhere, at most ``bodyLeft``.
    package mutating func skipBody(_ count: Int) {
        guard case .length(let left) = state, Int64(count) <= left else {
            preconditionFailure("not within the body")
        }
        state = .length(left: left - Int64(count))
    }

    /// Reads `bytes` from `position` on, and advances it.
    package mutating func next(
        in bytes: borrowing Span<UInt8>, at position: inout Int, into head: ResponseHead
    ) -> Event {
        if position < bytes.count { hasBegun = true }
        switch state {
        case .head: return readHead(in: bytes, at: &position, into: head)
        case .afterHead:
            if let event = beginBody(head) { return event }
            return next(in: bytes, at: &position, into: head)
        case .length(let left):
            guard left > 0 else {
                state = .complete
                return .complete
            }
            let count = Int(min(left, Int64(bytes.count - position)))
            guard count > 0 else { return .needsMore }
            state = .length(left: left - Int64(count))
            position += count
            return .body(position - count..<position)
        case .chunks(var chunks):
            let step = chunks.next(in: bytes, at: &position)
            switch step {
            case .data(let count):
                chunks.skip(count)
                state = .chunks(chunks)
                position += count
                return .body(position - count..<position)
            case .needsMore:
                state = .chunks(chunks)
                return .needsMore
            case .trailers:
                state = .trailers
                return readTrailers(in: bytes, at: &position, into: head)
            case .invalid: return .invalid(.badChunk)
            }
        case .trailers: return readTrailers(in: bytes, at: &position, into: head)
        case .untilEnd:
            guard position < bytes.count else { return .needsMore }
            let start = position
            position = bytes.count
            return .body(start..<position)
        case .complete: return .complete
        }
    }

    private mutating func readHead(
        in bytes: borrowing Span<UInt8>, at position: inout Int, into head: ResponseHead
    ) -> Event {
        while position < bytes.count {
            let start = position
            guard takeLine(of: bytes, at: &position, keeping: head.limit) else {
                if head.byteCount + lineLength > ResponseHead.byteLimit { return .invalid(.headTooLarge) }
                // A line that cannot be a status line need not be collected.
                if head.status == 0, lineLength > head.limit { return .invalid(.headTooLarge) }
                if head.status == 0, !Self.mayBeStatusLine(line.span) { return .invalid(.notHTTP) }
                return .needsMore
            }
            let progress: ResponseHead.Progress
            if lineLength == 0 {
                progress = head.take(bytes.extracting(start..<position))
            } else {
                progress =
                    lineLength == line.count
                    ? head.take(line.span) : head.takeLong(line.span, length: lineLength)
                endLine()
            }
            switch progress {
            case .more:
                // libcurl's status line for HTTP/2 is not valid in this protocol.
                if head.isHTTP2 { return .invalid(.notHTTP) }
            case .invalid(let fault): return .invalid(fault)
            case .interim: return .interim
            case .complete:
                if head.transferCoding == .other { return .invalid(.badTransferCoding) }
                state = .afterHead
                return .head
            }
        }
        return .needsMore
    }

    /// Advances after the next line feed; without one, keeps the beginning of the line.
    ///
    /// - Parameter most: the number of bytes of a split line after which no more pieces are kept.
    /// - Returns: whether a line is complete: it is in `line` if that is not empty, otherwise in the piece.
    private mutating func takeLine(
        of bytes: borrowing Span<UInt8>, at position: inout Int, keeping most: Int
    ) -> Bool {
        let start = position
        position = bytes.index(of: 0x0A, from: start)
        let isWhole = position < bytes.count
        if isWhole { position += 1 }
        if !isWhole || lineLength > 0 {
            if lineLength <= most, lineLength == line.count {
                line.append(bytes.extracting(start..<position))
            }
            lineLength += position - start
        }
        return isWhole
    }

    private mutating func endLine() {
        guard lineLength > 0 else { return }
        line.removeAll(keepingCapacity: true)
        lineLength = 0
    }

    private static func mayBeStatusLine(_ line: borrowing Span<UInt8>) -> Bool {
        let length = min(line.count, 5)
        let expected: StaticString = "HTTP/"
        for index in 0..<length where unsafe line[index] != expected.utf8Start[index] { return false }
        return true
    }

    /// RFC 9112 6.3.
    private mutating func beginBody(_ head: ResponseHead) -> Event? {
        if isHead || head.status == 204 || head.status == 304 {
            state = .complete
            return .complete
        }
        if head.transferCoding == .chunked {
            state = .chunks(ChunkReader())
        } else if let length = head.contentLength {
            state = .length(left: length)
        } else {
            state = .untilEnd
        }
        return nil
    }

    private mutating func readTrailers(
        in bytes: borrowing Span<UInt8>, at position: inout Int, into head: ResponseHead
    ) -> Event {
        while position < bytes.count {
            let start = position
            let isWhole = takeLine(of: bytes, at: &position, keeping: Self.trailerLineLimit)
            trailerBytes += position - start
            guard trailerBytes <= Self.trailerLimit else { return .invalid(.badChunk) }
            guard isWhole else { return .needsMore }
            let isLast: Bool
            if lineLength == 0 {
                isLast = Self.isBlank(bytes.extracting(start..<position))
                if !isLast { _ = head.take(bytes.extracting(start..<position)) }
            } else {
                isLast = lineLength == line.count && Self.isBlank(line.span)
                if !isLast { _ = head.take(line.span) }
                endLine()
            }
            if isLast {
                state = .complete
                return .complete
            }
        }
        return .needsMore
    }

    private static func isBlank(_ line: borrowing Span<UInt8>) -> Bool {
        line.count == 1 || (line.count == 2 && line[0] == 0x0D)
    }
}
