public import Wire

/// The status and fields of a response, read line by line.
///
/// Interim responses (1xx) arrive one after the other before the final one, and are discarded. A class whose memory
/// is reused: queries on the data path copy nothing.
public final class ResponseHead {
    /// The result of reading a line.
    package enum Progress {
        case more
        /// The empty line after the fields of an interim response for the client; until ``endInterim()``.
        case interim
        /// The empty line after the fields of a final response.
        case complete
        case invalid(TransferFault)
    }

    /// How the body is framed, according to the fields (RFC 9112 6.3).
    public enum TransferCoding: Sendable {
        case none, chunked, other
    }

    /// The status code of the response, or of the current interim response; 0 before its first line.
    public private(set) var status = 0
    /// The fields of the final response.
    public package(set) var fields = FieldBlock()
    /// The declared length of the body, if any.
    public private(set) var contentLength: Int64?
    /// Whether the fields are complete.
    public private(set) var isComplete = false
    /// The transfer coding that the fields name.
    public private(set) var transferCoding = TransferCoding.none
    /// Whether the response is HTTP/1.0.
    public private(set) var isHTTP10 = false
    /// Whether the response is HTTP/2.
    public private(set) var isHTTP2 = false
    /// Whether the connection may be reused, according to the fields (RFC 9112 9.3).
    public private(set) var keepsConnection = true
    /// How many seconds the provider keeps an idle connection, if it says so (`Keep-Alive: timeout=5`).
    public private(set) var keepAliveSeconds: Int64?
    /// The well-formed trailers received so far.
    public private(set) var trailers = FieldBlock()
    /// Whether any trailers were received, well-formed or not.
    public var hasTrailers: Bool { trailerBytes > 0 }
    private var trailerBytes = 0
    package private(set) var byteCount = 0
    /// Whether the last field frames the message: it must not be folded.
    private var lastFieldFrames = false
    /// Whether the last field was dropped, and so are its folded lines.
    private(set) var lastFieldIsDropped = false
    /// Set when a field did not fit: which fields are essential, and their size in bytes.
    private var isCrowded = false
    private var lastFieldIsEssential = false
    private(set) var essentialBytes = 0

    /// The maximum size of the kept fields in bytes, plus four for each; may change between two requests.
    ///
    /// Fields beyond it are dropped, essential ones last (``isEssential(_:)``).
    public var limit = 64 << 10
    /// How many fields were dropped from the current response.
    public private(set) var droppedFields = 0
    /// The maximum size of a head including all interim responses before it; a larger one is treated as garbage.
    package static let byteLimit = 1 << 20
    /// The maximum number of interim responses before a final one.
    private static let interimLimit = 1000
    private var interimAnswers = 0
    /// The maximum size of kept trailers.
    private static let trailerLimit = 8 << 10

    /// An empty head.
    public init() {}

    /// Removes everything and keeps the memory.
    package func reset() {
        status = 0
        isComplete = false
        byteCount = 0
        interimAnswers = 0
        if trailerBytes > 0 { trailers.removeAll() }
        trailerBytes = 0
        startMessage()
    }

    private func startMessage() {
        if fields.count > 0 { fields.removeAll() }
        droppedFields = 0
        (lastFieldIsDropped, lastFieldIsEssential) = (false, false)
        isCrowded = false
        contentLength = nil
        transferCoding = .none
        keepAliveSeconds = nil
    }

    /// The length of the body if it alone frames the body (RFC 9112 6.3: a transfer coding overrides a length).
    public var bodyLength: Int64? { transferCoding == .none ? contentLength : nil }

    /// Reads one line, including its line end.
    package func take(_ raw: borrowing Span<UInt8>) -> Progress {
        var length = raw.count
        if length > 0, raw[length - 1] == 0x0A { length -= 1 }
        if length > 0, raw[length - 1] == 0x0D { length -= 1 }
        if isComplete {
            takeTrailer(raw.extracting(0..<length))
            return .more
        }
        let line = raw.extracting(0..<length)
        if length > limit { return takeLong(line, length: raw.count) }
        byteCount += raw.count
        guard byteCount <= Self.byteLimit else { return .invalid(.headTooLarge) }
        if line.isEmpty { return takeEnd() }
        // A name contains no slash, so this is not a field.
        if line.count > 5, line[4] == 0x2F, line.extracting(0..<5).equals("HTTP/") {
            return takeStatus(line)
        }
        guard status > 0 else { return .invalid(.notHTTP) }
        if line[0].isBlank { return continueField(line) }
        return takeField(line)
    }

    /// Malformed trailers are dropped, and all of them if they exceed ``trailerLimit`` bytes, since nothing relies on
    /// trailers.
    private func takeTrailer(_ line: borrowing Span<UInt8>) {
        trailerBytes += line.count
        guard trailerBytes <= Self.trailerLimit else { return trailers.removeAll() }
        guard let colon = Self.colon(of: line) else { return }
        let rest = line.extracting(colon + 1..<line.count)
        let value = rest.extracting(rest.trimmedRange)
        guard value.endOfFieldValue(from: 0) == value.count else { return }
        trailers.append(name: line.extracting(0..<colon), value: value)
    }

    private func takeEnd() -> Progress {
        guard status >= 200 else {
            // 101 switches protocols, which Weir never asks for.
            if status == 101 { return .invalid(.switchedProtocols) }
            guard status >= 100 else { return .invalid(.notHTTP) }
            interimAnswers += 1
            guard interimAnswers <= Self.interimLimit else { return .invalid(.headTooLarge) }
            // 100 is for a client that waits with its body, which Weir never does; HTTP/1.0 has no interim responses.
            if status > 100, !isHTTP10 { return .interim }
            endInterim()
            return .more
        }
        isComplete = true
        return .complete
    }

    /// Discards an interim response; its bytes still count.
    package func endInterim() {
        startMessage()
        status = 0
    }

    /// RFC 9112 4: `HTTP/` digit `.` digit SP 3DIGIT SP [reason]; HTTP/2 as libcurl writes it has no second digit.
    private func takeStatus(_ line: borrowing Span<UInt8>) -> Progress {
        guard status == 0 else { return .invalid(.badHead) }
        startMessage()
        var start = 5
        while start < line.count, line[start] != 0x20 { start += 1 }
        let version = line.extracting(5..<start)
        isHTTP10 = version.equals("1.0")
        keepsConnection = !isHTTP10
        isHTTP2 = version.equals("2")
        guard isHTTP10 || isHTTP2 || version.equals("1.1") else { return .invalid(.notHTTP) }
        while start < line.count, line[start] == 0x20 { start += 1 }
        guard start + 3 <= line.count, start + 3 == line.count || line[start + 3] == 0x20,
            let code = line.extracting(start..<start + 3).decimal, code >= 100
        else { return .invalid(.badHead) }
        status = Int(code)
        return .more
    }

    /// A line that continues the last field's value (obs-fold, RFC 9112 5.2).
    private func continueField(_ line: borrowing Span<UInt8>) -> Progress {
        if lastFieldIsDropped { return .more }
        let text = line.extracting(line.trimmedRange)
        guard text.endOfFieldValue(from: 0) == text.count else { return .invalid(.badHead) }
        // Framing fields must not be folded.
        guard fields.count > 0, !lastFieldFrames else { return .invalid(.badHead) }
        // A truncated field does not mean what its beginning says.
        if text.count + 1 <= limit - keptBytes {
            fields.continueLastValue(with: text)
            if lastFieldIsEssential { essentialBytes += text.count + 1 }
        } else {
            dropLastField()
        }
        return .more
    }

    private func takeField(_ line: borrowing Span<UInt8>) -> Progress {
        guard let colon = Self.colon(of: line) else { return .invalid(.badHead) }
        let name = line.extracting(0..<colon)
        let rest = line.extracting(colon + 1..<line.count)
        let value = rest.extracting(rest.trimmedRange)
        guard value.endOfFieldValue(from: 0) == value.count else { return .invalid(.badHead) }
        lastFieldFrames = false
        switch name.count {
        case 10: takeConnection(name, value)
        case 14 where name.equalsIgnoringCase("content-length"):
            guard let length = value.decimal, contentLength == nil || contentLength == length else {
                return .invalid(.badLength)
            }
            contentLength = length
            lastFieldFrames = true
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            // A repeated field is a list of two, which Weir does not accept.
            lastFieldFrames = true
            transferCoding =
                transferCoding == .none && value.equalsIgnoringCase("chunked") ? .chunked : .other
        default: break
        }
        keep(name, value)
        return .more
    }

    /// The last field continues, and no longer fits.
    func dropLastField() {
        guard fields.count > 0 else { return }
        let bytes = keptBytes
        fields.removeLast()
        if lastFieldIsEssential { essentialBytes -= bytes - keptBytes }
        noteLongField()
    }

    private func beginToCrowd() {
        isCrowded = true
        essentialBytes = 0
        fields.forEach { name, value in
            if Self.isEssential(name) { essentialBytes += name.count + value.count + 4 }
        }
    }

    func noteDropped() { droppedFields += 1 }

    func noteLongField() {
        lastFieldFrames = false
        lastFieldIsDropped = true
        droppedFields += 1
    }

    func countBytes(_ count: Int) { byteCount += count }

    /// Resets what is known about `Connection`.
    func endConnection() { keepsConnection = false }

    private func keep(_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) {
        lastFieldIsDropped = false
        let size = name.count + value.count + 4
        // Which fields are essential matters only when one of them does not fit.
        if !isCrowded, size <= limit - keptBytes { return fields.append(name: name, value: value) }
        if !isCrowded { beginToCrowd() }
        lastFieldIsEssential = Self.isEssential(name)
        guard makeRoom(for: size, isEssential: lastFieldIsEssential) else {
            lastFieldIsDropped = true
            droppedFields += 1
            return
        }
        if lastFieldIsEssential { essentialBytes += size }
        fields.append(name: name, value: value)
    }

    /// The position of the colon directly after a name.
    static func colon(of line: borrowing Span<UInt8>) -> Int? {
        var index = 0
        while index < line.count, line[index].isTokenCharacter { index += 1 }
        return index > 0 && index < line.count && line[index] == 0x3A ? index : nil
    }

    func takeConnection(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if name.equalsIgnoringCase("connection") {
            ListElements.forEach(in: value) { member in
                if member.equalsIgnoringCase("close") {
                    keepsConnection = false
                } else if isHTTP10, member.equalsIgnoringCase("keep-alive") {
                    keepsConnection = true
                }
            }
        } else if name.equalsIgnoringCase("keep-alive") {
            ListElements.forEach(in: value) { member in
                guard member.startsIgnoringCase(with: "timeout=") else { return }
                keepAliveSeconds = member.extracting(8..<member.count).decimal
            }
        }
    }
}

/// Handles a head with more fields than are kept.
extension ResponseHead {
    /// The size of the kept fields, as ``limit`` counts it.
    var keptBytes: Int { fields.byteCount + 4 * fields.count }

    /// Makes room for this many bytes, if only less important fields have to be dropped.
    ///
    /// - Returns: whether there is room.
    func makeRoom(for size: Int, isEssential: Bool) -> Bool {
        if size <= limit - keptBytes { return true }
        guard isEssential, size <= limit - essentialBytes else { return false }
        // Frees more than is needed now, since all fields are moved each time.
        dropInessential(above: max(0, limit - essentialBytes - max(size, limit / 4)))
        return true
    }

    /// Keeps the first non-essential fields, up to this many bytes of them.
    private func dropInessential(above most: Int) {
        var kept = FieldBlock()
        var bytes = 0
        kept.append(fields) { name, value in
            if Self.isEssential(name) { return true }
            bytes += name.count + value.count + 4
            if bytes > most { noteDropped() }
            return bytes <= most
        }
        fields = kept
    }

    /// Whether the response would mean something else without this field: its target, its cause, its body or its
    /// caching.
    ///
    /// `Connection` names fields that must not be forwarded.
    static func isEssential(_ name: borrowing Span<UInt8>) -> Bool {
        switch name.count {
        case 3: name.equalsIgnoringCase("age")
        case 4:
            name.equalsIgnoringCase("date") || name.equalsIgnoringCase("etag")
                || name.equalsIgnoringCase("vary")
        case 5: name.equalsIgnoringCase("allow")
        case 7: name.equalsIgnoringCase("expires") || name.equalsIgnoringCase("trailer")
        case 8: name.equalsIgnoringCase("location")
        case 9: name.equalsIgnoringCase("ratelimit")
        case 10: name.equalsIgnoringCase("connection") || name.equalsIgnoringCase("request-id")
        case 11: name.equalsIgnoringCase("retry-after")
        case 12: name.equalsIgnoringCase("x-request-id") || namesContent(name)
        case 13:
            name.equalsIgnoringCase("cache-control") || name.equalsIgnoringCase("last-modified")
                || name.equalsIgnoringCase("accept-ranges") || namesContent(name)
        case 16: name.equalsIgnoringCase("www-authenticate") || namesContent(name) || isRateLimit(name)
        case 17: name.equalsIgnoringCase("transfer-encoding") || isRateLimit(name)
        default: namesContent(name) || isRateLimit(name)
        }
    }

    /// `Content-Type`, `Content-Encoding` and so on; security policies for browsers may have any length.
    private static func namesContent(_ name: borrowing Span<UInt8>) -> Bool {
        name.startsIgnoringCase(with: "content-") && !name.startsIgnoringCase(with: "content-security-policy")
    }

    private static func isRateLimit(_ name: borrowing Span<UInt8>) -> Bool {
        name.startsIgnoringCase(with: "ratelimit-") || name.startsIgnoringCase(with: "x-ratelimit-")
            || name.startsIgnoringCase(with: "x-rate-limit-")
    }

    /// Processes a line of which only the beginning was kept, since it is longer than ``limit``.
    ///
    /// - Parameter length: its full length.
    package func takeLong(_ beginning: borrowing Span<UInt8>, length: Int) -> Progress {
        countBytes(length)
        guard byteCount <= Self.byteLimit, status > 0 else { return .invalid(.headTooLarge) }
        if beginning[0].isBlank {
            if !lastFieldIsDropped { dropLastField() }
            return .more
        }
        guard let colon = Self.colon(of: beginning) else { return .invalid(.badHead) }
        let name = beginning.extracting(0..<colon)
        // A framing field is never this long, except to make two parsers disagree.
        guard !name.equalsIgnoringCase("content-length"), !name.equalsIgnoringCase("transfer-encoding") else {
            return .invalid(.badHead)
        }
        if name.equalsIgnoringCase("connection") { endConnection() }
        noteLongField()
        return .more
    }
}
