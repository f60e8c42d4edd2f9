/// What is recorded of one exchange for its trace: one span for the exchange, and one below it for each wait in the queue and each attempt.
///
/// Attributes follow the semantic conventions of OpenTelemetry for HTTP. None has a header field, a query or a body.
public struct TraceRecord: Sendable {
    /// A wait for a slot.
    private struct Wait {
        var id: SpanID
        var start: MonotonicTime
        var end: MonotonicTime
    }

    /// A request sent to the provider.
    fileprivate struct Attempt {
        var id: SpanID
        var start: MonotonicTime
        var end: MonotonicTime?
        var status = 0
        var code: ProblemCode?
        var isCancelled = false
    }

    /// The trace.
    public let context: TraceContext
    /// The exchange's own span.
    public let id: SpanID
    private var waits: [Wait] = []
    private var waitsSince: (id: SpanID, at: MonotonicTime)?
    private var attempts: [Attempt] = []

    /// The most waits and attempts that get a span, each.
    private static let limit = 16

    /// An exchange that begins.
    public init(_ context: TraceContext, id: SpanID) {
        (self.context, self.id) = (context, id)
    }

    // MARK: Events

    /// Whether it waits in the queue.
    public var isWaiting: Bool { waitsSince != nil }

    /// The request begins to wait for its slot.
    public mutating func waitBegan(_ id: SpanID, at now: MonotonicTime) {
        if waitsSince == nil, waits.count < Self.limit { waitsSince = (id, now) }
    }

    /// The wait is over; does nothing if there is none.
    public mutating func waitEnded(at now: MonotonicTime) {
        guard let since = waitsSince else { return }
        waitsSince = nil
        waits.append(Wait(id: since.id, start: since.at, end: now))
    }

    /// The request is sent.
    public mutating func attemptBegan(_ id: SpanID, at now: MonotonicTime) {
        if attempts.count < Self.limit { attempts.append(Attempt(id: id, start: now)) }
    }

    /// The attempt is over; does nothing if none is running.
    ///
    /// - Parameters:
    ///   - status: the provider's; 0 without a response.
    ///   - code: of the problem that it became.
    ///   - isCancelled: whether its response was not needed.
    public mutating func attemptEnded(
        status: Int, code: ProblemCode?, isCancelled: Bool = false, at now: MonotonicTime
    ) {
        guard let index = attempts.indices.last, attempts[index].end == nil else { return }
        attempts[index].end = now
        (attempts[index].status, attempts[index].code) = (status, code)
        attempts[index].isCancelled = isCancelled
    }

    /// The span of the last attempt; `nil` before the first.
    public var attempt: SpanID? { attempts.last?.id }

    /// How many spans it has: itself, its waits and its attempts.
    public var count: Int { 1 + waits.count + attempts.count }

    // MARK: Spans

    /// What is known of the exchange at its end.
    public struct Ending: Sendable {
        /// As the client sent it.
        public var method: String
        /// The target without its query.
        public var path: String
        /// The path of the provider's mount, if the request came by it.
        public var route: String?
        /// Whether the client speaks TLS.
        public var isEncrypted = false
        /// The name of the provider.
        public var provider: String?
        /// The provider's base URL.
        public var upstream: UpstreamURL?
        /// The target as the provider received it, without its query; empty if nothing was sent.
        public var upstreamPath = ""
        /// The exchange's id.
        public var requestID: String
        /// The status that was sent; 0 if the client disconnected before.
        public var status = 0
        /// The code of the problem.
        public var code: ProblemCode?
        /// The bytes of both bodies.
        public var (requestBytes, responseBytes) = (0, 0)
        /// Nanoseconds in the queue.
        public var waited: Int64 = 0
        /// The stage in which the client disconnected.
        public var abort: ClientAbortStage?

        /// An exchange without a response.
        public init(method: String, path: String, requestID: String) {
            (self.method, self.path, self.requestID) = (method, path, requestID)
        }
    }

    /// Encodes all spans for ``TraceExport``.
    ///
    /// - Parameters:
    ///   - start: when the exchange began.
    ///   - wallOffset: what has to be added to a monotonic time to get nanoseconds since 1970-01-01 UTC.
    /// - Returns: the bytes, and how many spans they are.
    public func encode(
        _ ending: Ending, from start: MonotonicTime, to end: MonotonicTime, wallOffset: Int64
    ) -> (bytes: [UInt8], count: Int) {
        // Some times are those of the worker's iteration, which began before.
        func wall(_ time: MonotonicTime) -> Int64 { min(max(time, start), end).nanoseconds &+ wallOffset }
        var scope = ProtobufMessage()
        var whole = span(id, parent: context.parent, ending.spanName, .server, wall(start), wall(end))
        whole.hasRemoteParent = context.parent != nil
        ending.describe(&whole, attempts: attempts.count)
        whole.append(to: &scope)
        for wait in waits {
            var span = span(wait.id, parent: id, "queue", .internal, wall(wait.start), wall(wait.end))
            if let provider = ending.provider { span.attributes.append(("weir.provider", .text(provider))) }
            span.append(to: &scope)
        }
        for (index, attempt) in attempts.enumerated() {
            var span = span(
                attempt.id, parent: id, ending.knownMethod ?? "HTTP", .client, wall(attempt.start),
                wall(attempt.end ?? end))
            ending.describe(&span, upstreamOf: index)
            attempt.describe(&span)
            span.append(to: &scope)
        }
        return (scope.bytes, count)
    }

    private func span(
        _ id: SpanID, parent: SpanID?, _ name: String, _ kind: TraceSpan.Kind, _ start: Int64, _ end: Int64
    ) -> TraceSpan {
        TraceSpan(
            trace: context.trace, id: id, parent: parent, name: name, kind: kind, start: start, end: end)
    }
}

extension TraceRecord.Attempt {
    /// Adds the result: for a client, each status from 400 on is an error.
    fileprivate func describe(_ span: inout TraceSpan) {
        if status > 0 { span.attributes.append(("http.response.status_code", .integer(status))) }
        if isCancelled { span.attributes.append(("weir.cancelled", .boolean(true))) }
        guard let code else {
            span.isError = status >= 400
            if span.isError { span.attributes.append(("error.type", .text("\(status)"))) }
            return
        }
        span.isError = true
        span.add(error: code)
    }
}

extension TraceSpan {
    /// Adds an error, as an attribute and as an event.
    fileprivate mutating func add(error code: ProblemCode) {
        attributes.append(("error.type", .text(code.name)))
        events.append(
            Event(
                at: end, name: "exception",
                attributes: [("exception.type", .text(code.name)), ("exception.message", .text(code.title))]))
    }
}

extension TraceRecord.Ending {
    /// The method, if the semantic conventions know it.
    fileprivate var knownMethod: String? {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return known.contains(method) ? method : nil
    }

    /// The method and the route, of which there are few.
    fileprivate var spanName: String {
        let method = knownMethod ?? "HTTP"
        return route.map { "\(method) \($0)" } ?? method
    }

    private func addMethod(to span: inout TraceSpan) {
        span.attributes.append(("http.request.method", .text(knownMethod ?? "_OTHER")))
        if knownMethod == nil, !method.isEmpty {
            span.attributes.append(("http.request.method_original", .text(method)))
        }
    }

    /// Describes the exchange: for a server, only a status from 500 on is an error.
    fileprivate func describe(_ span: inout TraceSpan, attempts: Int) {
        addMethod(to: &span)
        func add(_ name: String, _ value: TraceSpan.Value) { span.attributes.append((name, value)) }
        add("url.path", .text(path))
        add("url.scheme", .text(isEncrypted ? "https" : "http"))
        if let route { add("http.route", .text(route)) }
        if status > 0 { add("http.response.status_code", .integer(status)) }
        add("http.request.body.size", .integer(requestBytes))
        add("http.response.body.size", .integer(responseBytes))
        if let provider { add("weir.provider", .text(provider)) }
        add("weir.request_id", .text(requestID))
        add("weir.attempts", .integer(attempts))
        if waited > 0 { add("weir.queue_microseconds", .integer(Int(waited / 1000))) }
        if let abort { add("weir.client_left", .text("\(abort)")) }
        span.isError = status >= 500
        if let code {
            span.add(error: code)
        } else if span.isError {
            add("error.type", .text("\(status)"))
        }
    }

    /// Describes where an attempt went.
    fileprivate func describe(_ span: inout TraceSpan, upstreamOf index: Int) {
        addMethod(to: &span)
        if let upstream {
            span.attributes.append(("server.address", .text(upstream.host)))
            span.attributes.append(("server.port", .integer(Int(upstream.port))))
            span.attributes.append(("url.full", .text(upstream.origin + upstreamPath)))
        }
        if let provider { span.attributes.append(("weir.provider", .text(provider))) }
        if index > 0 { span.attributes.append(("http.request.resend_count", .integer(index))) }
    }
}
