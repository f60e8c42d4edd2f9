internal import CMicroHTTPD
internal import Glibc
internal import Wire

/// The head of a response: the library's, into which Weir's fields are inserted as it is sent.
///
/// The library contributes what it determines itself: the status, the framing of the body, and whether the connection
/// is kept. It never receives the other fields: it would make three allocations for each (0.9.75,
/// MHD_add_response_header), has no memory for many, and cannot omit a length.
///
/// > 0.9.75 and 1.0.1 give the whole head to send(), gnutls_record_send(), or with the body to sendmsg(); until it has left, they call
/// again with what is left of it.
struct AnswerHead: ~Copyable {
    private enum State {
        /// The library's head, if it sends one, is passed on unchanged.
        case none
        /// `bytes` are the field lines.
        case lines
        /// `bytes` are the unsent part of the whole head.
        case rest
    }

    private static let dateName = Array("Date".utf8)

    private var state = State.none
    private var bytes = ByteQueue()
    /// Whether the response has no length, although the library's head says 0.
    private var hasNoLength = false

    /// Whether the library has not sent it yet.
    var isPending: Bool { state != .none }

    /// Prepares the head of a response; fields that concern the library are also passed to it.
    ///
    /// A value ends at a NUL; a field that contains the end of a line, or another control character, is omitted.
    mutating func prepare(
        _ fields: borrowing FieldBlock, for response: OpaquePointer, hasNoLength: Bool
    ) {
        bytes.removeAll(keeping: 8 << 10)
        self.hasNoLength = hasNoLength
        var hasDate = false
        fields.forEach { name, value in
            let end = value.endOfFieldValue(from: 0)
            guard end == value.count || value[end] == 0, name.endOfFieldValue(from: 0) == name.count else {
                return
            }
            let value = value.extracting(0..<end)
            if name.count == 4, name.equalsIgnoringCase("Date") {
                // RFC 9110 5.3: it is not a list, so there must be at most one.
                if hasDate { return }
                hasDate = true
            }
            if Self.concernsLibrary(name) {
                unsafe Self.add(name, value, to: response)
            } else {
                bytes.appendField(name: name, value: value)
            }
        }
        // RFC 9110 6.6.1: a server with a clock adds the date of a response that has none.
        if !hasDate { bytes.appendField(name: Self.dateName.span, value: HTTPDate.now.span) }
        state = .lines
    }

    /// Composes the head; `head` is the library's.
    ///
    /// - Returns: false if that is not a head.
    mutating func compose(with head: UnsafeRawBufferPointer, in scratch: inout ByteQueue) -> Bool {
        guard case .lines = state else { return true }
        let head = unsafe Span<UInt8>(_unsafeBytes: head)
        let end = head.count - 2
        guard end > 2, head.extracting(0..<5).equals("HTTP/"),
            head.index(ofPair: 0x0D, 0x0A, from: end - 2) == end - 2,
            head.index(ofPair: 0x0D, 0x0A, from: end) == end
        else { return false }
        scratch.removeAll()
        if hasNoLength {
            Self.append(linesOf: head.extracting(0..<end), withoutLengthTo: &scratch)
        } else {
            scratch.append(head.extracting(0..<end))
        }
        unsafe scratch.append(bytes.waiting)
        scratch.append(literal: "\r\n")
        swap(&scratch, &bytes)
        state = .rest
        return true
    }

    /// The unsent part of the composed head; valid until it is changed.
    var unsent: UnsafeRawBufferPointer { unsafe bytes.waiting }

    /// This many of the ``unsent`` bytes were sent.
    mutating func removeSent(_ count: Int) {
        bytes.removeFirst(count)
        if bytes.isEmpty { state = .none }
    }

    /// Nothing more of it will be sent.
    mutating func discard() { state = .none }

    private static func append(linesOf head: Span<UInt8>, withoutLengthTo bytes: inout ByteQueue) {
        var start = 0
        while start < head.count {
            let next = min(head.index(ofPair: 0x0D, 0x0A, from: start) + 2, head.count)
            let line = head.extracting(start..<next)
            if !line.startsIgnoringCase(with: "content-length:") { bytes.append(line) }
            start = next
        }
    }

    /// Whether libmicrohttpd must know the field, because it may otherwise add its own.
    private static func concernsLibrary(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 10: name.equalsIgnoringCase("Connection")
        case 14: name.equalsIgnoringCase("Content-Length")
        case 17: name.equalsIgnoringCase("Transfer-Encoding")
        default: false
        }
    }

    /// Adds one field; name and value are NUL-terminated, as in every ``FieldBlock``.
    private static func add(_ name: Span<UInt8>, _ value: Span<UInt8>, to response: OpaquePointer) {
        unsafe name.withUnsafeBytes { name in
            unsafe value.withUnsafeBytes { value in
                guard let name = name.baseAddress else { return }
                let value = unsafe value.baseAddress?.assumingMemoryBound(to: CChar.self)
                unsafe MHD_add_response_header(
                    response, name.assumingMemoryBound(to: CChar.self), IncomingRequest.shown(value))
            }
        }
    }
}

extension IncomingRequest {
    /// The result of sending a head.
    enum HeadSending {
        /// All of it was sent, and this many bytes of the body after it.
        case done(body: Int)
        /// The socket accepts no more at the moment.
        case later
        case failed
    }

    /// Sends as much of the response's head, and then of the body, as the socket accepts.
    ///
    /// - Parameters:
    ///   - head: the library's.
    ///   - body: what the library sends together with it.
    ///   - flags: those of send().
    /// - Returns: `nil` if the head is the library's own.
    func sendHead(
        insteadOf head: UnsafeRawBufferPointer, with body: UnsafeRawBufferPointer, flags: Int32
    ) -> HeadSending? {
        guard answerHead.isPending, let client else { return nil }
        guard unsafe answerHead.compose(with: head, in: &client.daemon.headScratch) else { return .failed }
        while true {
            let unsent = unsafe answerHead.unsent
            switch unsafe client.write(unsent, with: body, flags: flags) {
            case .bytes(let count):
                let ofHead = min(count, unsent.count)
                answerHead.removeSent(ofHead)
                if !answerHead.isPending { return .done(body: count - ofHead) }
            case .later: return .later
            case .failed: return .failed
            }
        }
    }
}
