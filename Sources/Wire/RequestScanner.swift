/// Checks a client's bytes before the parser behind it reads them, and passes only well-formed HTTP/1 requests (RFC
/// 9112).
///
/// So a lenient parser, or one that responds on its own, never sees bytes that it would misread. Bytes are checked
/// once, in order, however they are split. Parts that parsers interpret differently are removed: chunk extensions and
/// whitespace after a length, which mean nothing to a proxy, and trailers, which are kept separately.
public struct RequestScanner: Sendable {
    /// The maximum lengths of the parts of a request, in bytes.
    public struct Limits: Sendable {
        /// Of the request target.
        public var target: Int
        /// Of the names and values of all fields together, and of all trailers.
        public var fieldBytes: Int
        /// The number of fields, and of trailers.
        public var fieldCount: Int
        /// Of the whole head, counting ``fieldOverhead`` for each field, which is the parser's memory; and of all
        /// trailers.
        ///
        /// Every byte counts, including removed ones.
        public var head: Int
        /// The memory that the parser needs for each field in addition to its bytes.
        public var fieldOverhead: Int
        /// Of a chunk, and therefore of a body.
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

    /// A field that matters to the parser: it frames the body, or is ``hiddenCookie``.
    enum Framing: UInt8 { case none, length, coding, cookie }

    /// The byte that replaces the last letter of `cookie`, in lower and upper case, in names that are passed on.
    ///
    /// > libmicrohttpd 0.9.75 parses that field for itself, in a copy, and where its memory does not suffice it
    /// answers, or closes the connection, though the request is served. No other name can have these bytes.
    public static let hiddenCookie: (small: UInt8, capital: UInt8) = (0x01, 0x02)

    /// The byte that replaces `?` in targets that are passed on, if queries are hidden; no target can contain this
    /// byte.
    ///
    /// > libmicrohttpd parses every query, which cannot be turned off, and hangs at a long one (0.9.75).
    public static let hiddenQuery: UInt8 = 0x01

    /// The maximum size of one chunk's extensions, in bytes.
    static let extensionLimit = 1024
    /// The maximum size of all extensions of a body, in addition to two bytes per preceding byte of the body.
    public static let extensionTotal = 16 << 10
    /// The maximum number of empty lines before a request (RFC 9112 2.2).
    static let emptyLineLimit = 8

    /// The limits; may change between two requests.
    public var limits: Limits
    var state = State.start
    /// The fault of the current request; nothing more of it is passed on.
    public internal(set) var fault: RequestFault?
    /// The number of requests that have passed completely.
    public internal(set) var completeRequests = 0
    /// The number of heads that have passed completely.
    public internal(set) var completeHeads = 0

    /// A counter within the current part: empty lines, bytes of a target or of extensions, letters of a name or
    /// version.
    var position = 0
    var isHTTP10 = false
    var isTrailer = false
    /// Whether the current part is being removed.
    var isDropping = false
    var candidate = Framing.none
    var hasLength = false
    var hasCoding = false
    var declaredLength: Int64 = 0
    /// The number that is being read, or the rest of the body or chunk.
    var number: Int64 = 0
    /// The bytes of the current head, including preceding empty lines, or of the trailers.
    private(set) var sectionBytes = 0
    var fieldBytes = 0
    var fieldCount = 0
    /// The bytes of extensions, minus those that the body's bytes allow for.
    var extensionBytes = 0

    /// The lines of the current trailers, and those of requests that have passed.
    var trailerLines: [UInt8] = []
    var trailers: [Trailers] = []

    private(set) var hidesQuery: Bool

    /// A scanner for the beginning of a connection.
    ///
    /// - Parameter hidesQuery: whether ``hiddenQuery`` replaces `?` in targets that are passed on.
    public init(limits: Limits, hidesQuery: Bool = false) {
        self.limits = limits
        self.hidesQuery = hidesQuery
    }

    /// Whether the next byte begins a request.
    public var isBetweenRequests: Bool { state == .start }

    /// Whether a head is incomplete.
    public var isInHead: Bool {
        state.rawValue > State.start.rawValue && state.rawValue < State.body.rawValue && !isTrailer
    }

    /// How many bytes of the body are still expected; `nil` between bodies and within a chunked body.
    public var bodyLeft: Int64? { state == .body ? number : nil }

    /// Checks bytes as they arrive.
    ///
    /// Removes the parts of `bytes` that are not passed on; later bytes move up.
    ///
    /// - Returns: how many bytes, from the front, may be read. If there is a ``fault``, they belong to earlier
    ///   requests.
    public mutating func scan(_ bytes: inout MutableSpan<UInt8>) -> Int {
        scan(&bytes, endsWithRequest: false).passed
    }

    /// Checks bytes as they arrive, up to the end of a request; bytes of the next request are not touched.
    ///
    /// - Returns: how many bytes, from the front, may be read, as for ``scan(_:)``, and how many were checked.
    public mutating func scanRequest(_ bytes: inout MutableSpan<UInt8>) -> (passed: Int, scanned: Int) {
        scan(&bytes, endsWithRequest: true)
    }

    private mutating func scan(
        _ bytes: inout MutableSpan<UInt8>, endsWithRequest: Bool
    ) -> (passed: Int, scanned: Int) {
        guard state != .refused else { return (0, bytes.count) }
        var input = Input(count: bytes.count, dropStart: isDropping ? 0 : -1)
        let before = completeRequests
        // The start of the bytes of a head or of trailers that are not counted yet.
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

    /// The state of one call of ``scan(_:)``.
    struct Input {
        var index = 0
        let count: Int
        /// Where the part that is being removed begins.
        var dropStart: Int
        /// Where the part to be kept after the last gap begins, and the total width of the gaps before it.
        var keptStart = 0
        var gap = 0
        /// Where the current request began; 0 if it began in an earlier call.
        var requestStart = 0

        init(count: Int, dropStart: Int) {
            self.count = count
            self.dropStart = dropStart
        }

        /// Moves the kept bytes up to `end` to the front; each byte moves once.
        func closeGap(in bytes: inout MutableSpan<UInt8>, upTo end: Int) {
            guard gap > 0 else { return }
            for index in keptStart..<end { bytes[index - gap] = bytes[index] }
        }
    }

    /// The colon and the line end of a field, which are covered by its overhead.
    private static let separators = 3

    /// Counts bytes of an incomplete head or incomplete trailers: no byte of them is passed on uncounted.
    ///
    /// Counts only grow within a section, so several steps may be counted at once. A fault after too many bytes would
    /// not have been reached byte by byte, so the fault is the size.
    private mutating func countSection(from start: Int, to end: Int) {
        sectionBytes &+= end &- start
        // There is at least one more byte.
        let isTooLarge =
            fieldBytes > limits.fieldBytes || fieldCount > limits.fieldCount
            || sectionBytes &+ (limits.fieldOverhead &- Self.separators) &* fieldCount >= limits.head
        if isTooLarge { refuse(.fieldsTooLarge) }
    }

    /// The head or the trailers are complete: the next byte begins another section.
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

    /// Removes the bytes that were read since ``beginDropping(_:_:)``.
    mutating func endDropping(_ input: inout Input) {
        isDropping = false
        input.gap += input.index - input.dropStart
        input.keptStart = input.index
    }

    /// The request is complete: the next byte begins another one.
    mutating func endRequest(_ input: inout Input) {
        completeRequests += 1
        endSection()
        state = .start
        position = 0
        input.requestStart = input.index - input.gap
    }
}

/// Why a client's bytes are not an HTTP/1 request that can be forwarded.
public enum RequestFault: Error, Sendable, CaseIterable {
    case requestLine, version
    case targetTooLong, fieldsTooLarge
    case lineEnd, fieldName, fieldValue, folding
    case length, lengthTooLarge, lengths, coding, lengthAndCoding, codingInHTTP10
    case chunkSize, chunkTooLarge, chunkExtension, chunkEnd
}
