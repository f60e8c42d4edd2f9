internal import Wire

/// What a request's head says about how to handle it, and the first fault in it.
///
/// As strict as a proxy needs RFC 9112: requests that two parsers could read differently are rejected, so that
/// nothing can be smuggled past one of them. ``RequestScanner`` has already checked that names, values and framing
/// are well-formed. Pass the method to ``take(method:)`` and the fields in order to ``take(name:value:)``; then
/// ``finish(method:target:isHTTP10:limits:)`` decides.
public struct RequestInspection: Sendable {
    /// How the body is framed.
    public enum Framing: Sendable, Equatable {
        case none
        case length(Int64)
        case chunked
    }

    /// The limits of a head.
    public struct Limits: Sendable {
        /// The maximum size of the request target in bytes.
        public var target: Int
        /// The maximum size of all field names and values in bytes.
        public var fieldBytes: Int
        /// The maximum number of fields.
        public var fieldCount: Int
        /// The maximum size of a body in bytes.
        public var body: Int64

        /// Limits with these values.
        public init(target: Int, fieldBytes: Int, fieldCount: Int, body: Int64) {
            self.target = target
            self.fieldBytes = fieldBytes
            self.fieldCount = fieldCount
            self.body = body
        }
    }

    /// How the body is framed.
    public private(set) var framing = Framing.none
    /// The maximum size of a body that is read and dropped after a rejected head, so that the connection can be kept.
    public static let drainLimit: Int64 = 1 << 20
    /// Whether a body, if any, is read to its end although the request is rejected.
    ///
    /// A client that waits for `100 Continue` does not get it; whether its body arrives is unknown then.
    public var hasDrainableBody: Bool {
        switch framing {
        case .none: !expectsContinue
        case .length(let length): length <= Self.drainLimit && !expectsContinue
        case .chunked: false
        }
    }
    /// The first fault, or `nil`.
    public private(set) var fault: Fault?
    /// Whether the client waits for `100 Continue` before it sends its body.
    public private(set) var expectsContinue = false
    /// The fields that `Connection` names, which must not be forwarded.
    public private(set) var connectionFields = ConnectionFields()
    /// Whether the client names the content types that it accepts.
    public private(set) var hasAccept = false
    /// Whether the client declares the content type of its body.
    public private(set) var hasContentType = false
    /// In which form the client wants the provider's errors (`X-Error-Format`); `nil` if it does not say, or names no form.
    public private(set) var errorForm: ProviderConfiguration.ErrorForm?
    /// The longest time, in seconds, that the client agrees to wait in the queue (`Prefer: wait=N`, RFC 7240 4.3).
    public private(set) var preferredWait: Int64?
    /// The client's urgency, 0 (most urgent) to 7; 3 by default (`Priority: u=N`, RFC 9218 4.1).
    public private(set) var urgency = 3
    /// How many more times the request may be forwarded (`Max-Forwards`, RFC 9110 7.6.2); `nil` if it is absent, or
    /// has no meaning for the method.
    public private(set) var hopsLeft: Int64?
    /// Whether `Via` already contains this instance: the request is in a loop.
    public private(set) var isLoop = false
    /// The client's request id, if it is to be kept: 1 to 128 visible ASCII characters.
    public private(set) var requestID: Text?

    /// Whether the request is about the server itself (`OPTIONS *`, RFC 9110 9.3.7) rather than a path.
    public private(set) var isForServer = false

    private var isOptions = false
    private var hostCount = 0
    private var hasBadHops = false
    private var hasTransferEncoding = false
    private var hasContentLength = false
    private let pseudonym: [UInt8]

    /// An empty inspection.
    ///
    /// - Parameter pseudonym: the name of this instance in `Via`.
    public init(pseudonym: [UInt8]) { self.pseudonym = pseudonym }

    /// Looks at the method.
    public mutating func take(method: Span<UInt8>) {
        guard method.isToken else { return refuse("The method has a character that is not allowed.") }
        isOptions = method.equals("OPTIONS")
        // RFC 9110 15.6.2: not implemented for any target.
        if method.equals("CONNECT") || method.equals("TRACE") {
            refuse("The methods CONNECT and TRACE are not forwarded.", status: 501)
        }
    }

    /// Looks at one field.
    public mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
        switch RequestField(name) {
        case .host:
            hostCount += 1
            if !HostField.isWellFormed(value) {
                refuse("Host is no name or address, with or without a port.")
            }
        case .contentLength: takeContentLength(value)
        case .transferEncoding: takeTransferEncoding(value)
        case .connection: connectionFields.add(value)
        case .expect:
            guard value.equalsIgnoringCase("100-continue") else {
                return refuse("The only expectation that can be met is 100-continue.", status: 417)
            }
            expectsContinue = true
        case .accept: hasAccept = true
        case .contentType: hasContentType = true
        case .requestID: takeRequestID(value)
        case .errorFormat: errorForm = .init(named: value)
        case .prefer: takePrefer(value)
        case .via: takeVia(value)
        case .priority: takePriority(value)
        case .maxForwards: takeMaxForwards(value)
        case .hopByHop, .revealing, .authorization, .accessToken, .other: break
        }
    }

    /// Decides, after the last field.
    public mutating func finish(
        method: Span<UInt8>, target: Span<UInt8>, isHTTP10: Bool, fieldBytes: Int, fieldCount: Int,
        limits: Limits
    ) {
        if target.count > limits.target {
            return refuse(.uriTooLong, "The request target has more than \(limits.target) bytes.")
        }
        if fieldBytes > limits.fieldBytes || fieldCount > limits.fieldCount {
            return refuse(
                .headersTooLarge,
                "The fields have more than \(limits.fieldBytes) bytes, or are more than \(limits.fieldCount)."
            )
        }
        if hopsLeft != nil {
            if !isOptions {
                hopsLeft = nil
            } else if hasBadHops {
                refuse("Max-Forwards is not a number.")
            }
        }
        finishHost(isHTTP10: isHTTP10)
        finishFraming(method: method, isHTTP10: isHTTP10, limits: limits)
        if isLoop, fault == nil {
            fault = Fault(
                .badClientRequest, detail: "The request has come through this proxy before.",
                effect: Effect.none,
                proxyError: .proxyLoopDetected)
        }
    }

    private mutating func finishHost(isHTTP10: Bool) {
        if hostCount > 1 { refuse("There is more than one Host.") }
        if hostCount == 0, !isHTTP10 { refuse("There is no Host.") }
    }

    private mutating func finishFraming(method: Span<UInt8>, isHTTP10: Bool, limits: Limits) {
        if hasTransferEncoding, hasContentLength {
            refuse("Content-Length and Transfer-Encoding exclude each other.")
        }
        if hasTransferEncoding, isHTTP10 { refuse("HTTP/1.0 knows no Transfer-Encoding.") }
        if hasTransferEncoding { framing = .chunked }
        if case .length(let length) = framing, length > limits.body {
            refuse(.requestTooLarge, "The body has more than \(limits.body) bytes.")
        }
        // libcurl waits for the body of a response to HEAD once it has sent a body itself.
        if framing != .none, framing != .length(0), method.equals("HEAD") {
            refuse("A HEAD request has no body.")
        }
    }

    private mutating func takeContentLength(_ value: Span<UInt8>) {
        guard let length = value.decimal else { return refuse("Content-Length is not a number.") }
        if hasContentLength, framing != .length(length) {
            return refuse("Content-Length is given twice, differently.")
        }
        hasContentLength = true
        framing = .length(length)
    }

    private mutating func takeTransferEncoding(_ value: Span<UInt8>) {
        guard !hasTransferEncoding, value.equalsIgnoringCase("chunked") else {
            return refuse("The only Transfer-Encoding that is read is chunked, once.")
        }
        hasTransferEncoding = true
    }

    private mutating func takeMaxForwards(_ value: Span<UInt8>) {
        var isNumber = value.count > 0
        for index in 0..<value.count where !value[index].isASCIIDigit { isNumber = false }
        // A number too large to count means the maximum (RFC 9110 7.6.2).
        let hops = value.decimal ?? Int64.max
        if !isNumber || hopsLeft ?? hops != hops { hasBadHops = true }
        hopsLeft = hops
    }

    private mutating func takeRequestID(_ value: Span<UInt8>) {
        guard value.count > 0, value.count <= 128 else { return }
        for index in 0..<value.count where value[index] <= 0x20 || value[index] >= 0x7F { return }
        requestID = Text(copying: value)
    }

    private mutating func takePrefer(_ value: Span<UInt8>) {
        ListElements.forEach(in: value) { element in
            guard element.startsIgnoringCase(with: "wait=") else { return }
            // A parameter may follow, which Weir ignores.
            var end = 5
            while end < element.count, element[end].isASCIIDigit { end += 1 }
            preferredWait = element.extracting(5..<end).decimal ?? preferredWait
        }
    }

    private mutating func takePriority(_ value: Span<UInt8>) {
        ListElements.forEach(in: value) { element in
            guard element.count >= 3, element[0] == 0x75, element[1] == 0x3D, element[2] &- 0x30 < 8,
                element.count == 3 || element[3] == 0x3B || element[3].isBlank
            else { return }
            urgency = Int(element[2] - 0x30)
        }
    }

    private mutating func takeVia(_ value: Span<UInt8>) {
        let name = pseudonym
        ListElements.forEach(in: value) { element in
            var start = 0
            while start < element.count, element[start] != 0x20 { start += 1 }
            let by = element.extracting(start..<element.count)
            let received = by.extracting(by.trimmedRange)
            if received.equalsIgnoringCase(name.span) { isLoop = true }
        }
    }

    /// The first fault counts: a later one may be its consequence.
    private mutating func refuse(_ detail: String, status: Int = 400) {
        guard fault == nil else { return }
        fault = Fault(.badClientRequest, detail: Text(detail))
        fault?.status = status
    }

    private mutating func refuse(_ code: ProblemCode, _ detail: String) {
        if fault == nil { fault = Fault(code, detail: Text(detail)) }
    }

    /// Accepts a request target that denotes the server itself; false if the method has no such target.
    mutating func takeServerTarget() -> Bool {
        isForServer = isOptions
        return isOptions
    }

    /// Rejects a request target that is not a path of this server.
    mutating func refuseTarget(_ detail: String) { refuse(detail) }
}
