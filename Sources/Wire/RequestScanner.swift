/// Looks at a client's bytes before the parser behind it does, and lets only well-formed HTTP/1 requests pass (RFC 9112).
///
/// A parser that is lax, or that answers by itself, never gets to see what it would misread: bytes are looked at once, in
/// order, in whatever pieces they come. What is read differently by different parsers is taken out on the way: chunk
/// extensions and blanks behind a length, which mean nothing to a proxy, and trailers, which alone are kept.
public struct RequestScanner: Sendable {
    /// How long the parts of a request may be, in bytes.
    public struct Limits: Sendable {
        /// Of the request target.
        public var target: Int
        /// Of the names and values of all fields together; of all trailers as well.
        public var fieldBytes: Int
        /// How many fields; how many trailers as well.
        public var fieldCount: Int
        /// Of the whole head, with ``fieldOverhead`` for each field: what the parser has room for; of all trailers as well.
        ///
        /// Every byte counts, also one that does not pass.
        public var head: Int
        /// What the parser needs for each field besides its bytes.
        public var fieldOverhead: Int
        /// Of a chunk, and so of a body.
        public var body: Int64

        /// Limits with these values.
        public init(
            target: Int, fieldBytes: Int, fieldCount: Int, head: Int, fieldOverhead: Int, body: Int64
        ) {
            self.target = target
            self.fieldBytes = fieldBytes
            self.fieldCount = fieldCount
            self.head = head
            self.fieldOverhead = fieldOverhead
            self.body = body
        }
    }

    enum State: UInt8 {
        case start, startLF, method, target, version, requestLineLF
        case lineStart, name, valueStart, value, valueLF, endLF
        case lengthStart, length, lengthEnd, codingStart, coding, codingEnd
        case body, chunkSizeStart, chunkSize, chunkExtension, chunkSizeLF, chunkData, chunkDataCR, chunkDataLF
        case refused
    }

    /// A field that means something to whoever parses what passes: by its value the body is framed, or it is ``hiddenCookie``.
    enum Framing: UInt8 { case none, length, coding, cookie }

    /// What stands for the last letter of `cookie`, small and capital, in a name that passes.
    ///
    /// > libmicrohttpd 0.9.75 parses that field for itself, in a copy, and where its memory does not suffice it answers, or closes the
    /// connection, though the request is served. No other name can have these bytes.
    public static let hiddenCookie: (small: UInt8, capital: UInt8) = (0x01, 0x02)

    /// What stands for `?` in a target that passes, where that is hidden: no target can have this byte.
    ///
    /// > libmicrohttpd parses every query, which cannot be turned off, and hangs at a long one (0.9.75).
    public static let hiddenQuery: UInt8 = 0x01

    /// Most bytes of one chunk's extensions.
    static let extensionLimit = 1024
    /// Most bytes of all extensions of a body, besides two for each byte of the body before.
    public static let extensionTotal = 16 << 10
    /// Most empty lines before a request (RFC 9112 2.2).
    static let emptyLineLimit = 8

    /// What is refused; may change between two requests.
    public var limits: Limits
    var state = State.start
    /// What is wrong with the request that is being read; nothing more of it passes.
    public internal(set) var fault: RequestFault?
    /// How many requests have passed, to their last byte.
    public internal(set) var completeRequests = 0
    /// How many heads have passed, to their last byte.
    public internal(set) var completeHeads = 0

    /// Counts within the part that is being read: blank lines, bytes of a target or of extensions, letters of a name or version.
    var position = 0
    var isHTTP10 = false
    var isTrailer = false
    /// Whether what is read does not pass.
    var isDropping = false
    var candidate = Framing.none
    var hasLength = false
    var hasCoding = false
    var declaredLength: Int64 = 0
    /// The number that is being read, or what is left of the body or chunk.
    var number: Int64 = 0
    /// Bytes of the head that is being read, with the empty lines before it, or of the trailers.
    private(set) var sectionBytes = 0
    var fieldBytes = 0
    var fieldCount = 0
    /// Bytes of extensions, without those that the body's bytes allow for.
    var extensionBytes = 0

    /// The lines of the trailers that are being read, and those of requests that have passed.
    var trailerLines: [UInt8] = []
    var trailers: [Trailers] = []

    private(set) var hidesQuery: Bool

    /// A scanner at the beginning of a connection.
    ///
    /// - Parameter hidesQuery: whether ``hiddenQuery`` stands for `?` in the targets that pass.
    public init(limits: Limits, hidesQuery: Bool = false) {
        self.limits = limits
        self.hidesQuery = hidesQuery
    }

    /// Whether the bytes that come next begin a request.
    public var isBetweenRequests: Bool { state == .start }

    /// Whether a head has begun that is not complete.
    public var isInHead: Bool {
        state.rawValue > State.start.rawValue && state.rawValue < State.body.rawValue && !isTrailer
    }

    /// How many bytes of the body are still to come; `nil` between bodies, and within chunks, which do not tell.
    public var bodyLeft: Int64? { state == .body ? number : nil }

    /// Looks at bytes as they come.
    ///
    /// What does not pass is taken out of `bytes`, whose later bytes move up.
    ///
    /// - Returns: how many bytes, from the front, may be read. If there is a ``fault``, those are of earlier requests.
    public mutating func scan(_ bytes: inout MutableSpan<UInt8>) -> Int {
        scan(&bytes, endsWithRequest: false).passed
    }

    /// Looks at bytes as they come, up to the end of a request: those of the next one stay where they are.
    ///
    /// - Returns: how many bytes, from the front, may be read, as ``scan(_:)`` returns it; and how many were looked at.
    public mutating func scanRequest(_ bytes: inout MutableSpan<UInt8>) -> (passed: Int, scanned: Int) {
        scan(&bytes, endsWithRequest: true)
    }

    private mutating func scan(
        _ bytes: inout MutableSpan<UInt8>, endsWithRequest: Bool
    ) -> (passed: Int, scanned: Int) {
        guard state != .refused else { return (0, bytes.count) }
        var input = Input(count: bytes.count, dropStart: isDropping ? 0 : -1)
        let before = completeRequests
        // From where on the bytes of a head or of trailers are not counted yet.
        var uncounted = 0
        scanning: while input.index < input.count {
            switch state {
            case .start, .startLF, .method, .target, .version, .requestLineLF:
                scanRequestLine(&bytes, &input)
            case .lineStart, .name, .valueStart, .value, .valueLF: scanField(&bytes, &input)
            case .lengthStart, .length, .lengthEnd, .codingStart, .coding, .codingEnd:
                scanFraming(&bytes, &input)
            case .endLF:
                // The last byte that can make a section too large; the next one ends it.
                countSection(from: uncounted, to: input.index)
                uncounted = input.index
                guard state != .refused else { break scanning }
                scanField(&bytes, &input)
                guard state != .refused else { break scanning }
                uncounted = input.index
            case .body, .chunkSizeStart, .chunkSize, .chunkExtension, .chunkSizeLF, .chunkData, .chunkDataCR,
                .chunkDataLF:
                scanBody(&bytes, &input)
                uncounted = input.index
                guard state != .refused else { break scanning }
            case .refused: break
            }
            if state == .refused {
                countSection(from: uncounted, to: input.index)
                break
            }
            if endsWithRequest, completeRequests != before { break }
        }
        if state != .refused, uncounted < input.index { countSection(from: uncounted, to: input.index) }
        if !isDropping { input.closeGap(in: &bytes, upTo: input.index) }
        if state == .refused { return (input.requestStart, bytes.count) }
        return ((isDropping ? input.dropStart : input.index) - input.gap, input.index)
    }

    /// Where one call of ``scan(_:)`` is.
    struct Input {
        var index = 0
        let count: Int
        /// Where what is being taken out begins.
        var dropStart: Int
        /// Where what is kept behind the last gap begins, and how wide all gaps before it are.
        var keptStart = 0
        var gap = 0
        /// Where the request that is being read began; 0 if it did earlier.
        var requestStart = 0

        init(count: Int, dropStart: Int) {
            self.count = count
            self.dropStart = dropStart
        }

        /// Moves what is kept up to `end` to the front: each byte once.
        func closeGap(in bytes: inout MutableSpan<UInt8>, upTo end: Int) {
            guard gap > 0 else { return }
            for index in keptStart..<end { bytes[index - gap] = bytes[index] }
        }
    }

    /// The colon and the line end of a field, which its overhead covers.
    private static let separators = 3

    /// Counts bytes of a head or of trailers that are not complete: nothing of them is read that is not counted here.
    ///
    /// Counts only grow within a section, so it does not matter how many steps are counted at once. What is wrong behind too many bytes
    /// would not have been seen one byte at a time: the size is the fault then.
    private mutating func countSection(from start: Int, to end: Int) {
        sectionBytes &+= end &- start
        // There is at least one byte more.
        let isTooLarge =
            fieldBytes > limits.fieldBytes || fieldCount > limits.fieldCount
            || sectionBytes &+ (limits.fieldOverhead &- Self.separators) &* fieldCount >= limits.head
        if isTooLarge { refuse(.fieldsTooLarge) }
    }

    /// What has been read since ends a head, or the trailers: the next byte begins another section.
    mutating func endSection() { (sectionBytes, fieldBytes, fieldCount) = (0, 0, 0) }

    mutating func refuse(_ fault: RequestFault) {
        self.fault = fault
        state = .refused
    }

    mutating func beginDropping(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        isDropping = true
        input.dropStart = input.index
        input.closeGap(in: &bytes, upTo: input.index)
    }

    /// What has been read since ``beginDropping(_:_:)`` does not pass.
    mutating func endDropping(_ input: inout Input) {
        isDropping = false
        input.gap += input.index - input.dropStart
        input.keptStart = input.index
    }

    /// The request is complete: the next byte begins another.
    mutating func endRequest(_ input: inout Input) {
        completeRequests += 1
        endSection()
        state = .start
        position = 0
        input.requestStart = input.index - input.gap
    }
}

/// Why a client's bytes are no HTTP/1 request that can be passed on.
public enum RequestFault: Error, Sendable, CaseIterable {
    case requestLine, version
    case targetTooLong, fieldsTooLarge
    case lineEnd, fieldName, fieldValue, folding
    case length, lengthTooLarge, lengths, coding, lengthAndCoding, codingInHTTP10
    case chunkSize, chunkTooLarge, chunkExtension, chunkEnd
}
