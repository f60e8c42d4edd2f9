internal import Core
internal import Glibc
internal import Logging
internal import Loop
internal import Synchronization
internal import Upstream
internal import Wire

/// The thread of a ``TraceExporter``: one request after the other, each with what has come meanwhile.
///
/// Its connections are those of any upstream, on a loop of its own.
final class TraceLoop: ReadinessHandler, HTTP1PoolOwner, TransferDelegate {
    /// The longest time for a request, in nanoseconds.
    private static let requestNanoseconds: Int64 = 10_000_000_000
    /// The shortest and the longest time until a failed request is repeated, in nanoseconds.
    private static let (shortestPause, longestPause): (Int64, Int64) = (1_000_000_000, 30_000_000_000)
    /// The most spans in a request.
    private static let batch = 512
    /// The longest response that is read: the rest does not matter.
    private static let responseLimit = 4096
    /// How much nicer than workers the thread is to others.
    private static let niceness: Int32 = 10

    private let exporter: TraceExporter
    private let loop: EventLoop
    private let multi: CurlMulti
    private let sockets: MultiSockets
    private var pool: HTTP1Pool?
    private var now = Worker.clock()

    /// What has not been sent.
    private var waiting: [(bytes: [UInt8], count: Int)] = []
    /// What is being sent, or will be sent again.
    private var current: (bytes: [UInt8], count: Int)?
    private var body = ByteQueue()
    private var transfer: (any UpstreamTransfer)?
    private var isFinished = false
    /// Whether the pool has finished transfers to report.
    private var mustReport = false
    private var response: [UInt8] = []
    private var requestEnd = MonotonicTime.distantFuture
    private var pauseEnd = MonotonicTime.distantPast
    private var failures = 0
    /// By when the thread has to end.
    private var finishBy: MonotonicTime?
    /// Whether spans may still come until then.
    private var mayGetMore = false

    init(_ exporter: TraceExporter) throws(SystemError) {
        self.exporter = exporter
        loop = try EventLoop()
        let configuration = exporter.configuration
        var options = UpstreamOptions(
            origin: configuration.endpoint.origin, connectTimeoutMilliseconds: 5000)
        options.caFile = configuration.caFile
        multi = CurlMulti(options: options)
        sockets = MultiSockets(of: multi, on: loop)
        pool = HTTP1Pool(
            multi: multi, loop: loop, authority: configuration.endpoint.authority, room: ReceiveRoom(),
            owner: self)
        try loop.watch(exporter.mailbox.descriptor, for: .readable, handler: self)
    }

    /// Exports until it has to end.
    func run() {
        loop.bindToThread()
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while !isOver {
            loop.wait(atMost: timeout)
            now = Worker.clock()
            multi.run(nowMilliseconds: now.nanoseconds / 1_000_000)
            multi.reportFinished()
            mustReport = false
            pool?.reportFinished()
            endRequest()
            startRequest()
        }
        stop()
    }

    /// Whether nothing is left to do, or no time.
    private var isOver: Bool {
        guard let finishBy else { return false }
        if now >= finishBy { return true }
        if mayGetMore { return false }
        // A collector that fails now would fail again in the little time that is left.
        return transfer == nil && (failures > 0 || current == nil && waiting.isEmpty)
    }

    private func stop() {
        if let transfer {
            transfer.cancel()
            transfer.discard()
        }
        takeMessages()
        let left = waiting.reduce(current?.count ?? 0) { $0 + $1.count }
        exporter.counts.shutdown.add(UInt64(left), ordering: .relaxed)
        exporter.release(left)
        if left > 0 {
            exporter.logger.warning("traces dropped at the end", metadata: ["spans": "\(left)"])
        }
        loop.unwatch(exporter.mailbox.descriptor)
        pool?.close()
        pool = nil
        multi.close()
    }

    /// How long to wait for events, in milliseconds.
    private var timeout: Int32 {
        if multi.needsKick || isFinished || mustReport { return 0 }
        var end = MonotonicTime.distantFuture
        if transfer != nil { end = min(end, requestEnd) } else if hasSpans { end = min(end, pauseEnd) }
        if let finishBy { end = min(end, finishBy) }
        if multi.runningTransfers + multi.pendingConnections > 0, let deadline = multi.deadlineMilliseconds {
            end = min(end, MonotonicTime(nanoseconds: deadline * 1_000_000))
        }
        guard end < .distantFuture else { return -1 }
        return Int32(clamping: max(0, Worker.clock().nanoseconds(to: end) / 1_000_000 + 1))
    }

    private var hasSpans: Bool { current != nil || !waiting.isEmpty }

    // MARK: Requests

    private func startRequest() {
        guard transfer == nil, hasSpans, now >= pauseEnd, let pool else { return }
        let spans = current ?? takeBatch()
        current = spans
        body.removeAll()
        body.append(exporter.export.body(spans: spans.bytes))
        response = []
        requestEnd = now.later(by: Self.requestNanoseconds)
        let transfer = pool.makeTransfer()
        self.transfer = transfer
        let (method, target) = (Array("POST".utf8), Array(exporter.configuration.target.utf8))
        transfer.beginRequest(method: method.span, target: target.span)
        transfer.addField(FieldNames.contentType, Array(TraceExport.contentType.utf8))
        transfer.addField(Array("User-Agent".utf8), exporter.userAgent)
        for field in exporter.configuration.fields {
            transfer.addField(Array(field.name.utf8), Array(field.value.value.utf8))
        }
        transfer.endRequest(
            body: unsafe .whole(UnsafeRawBufferPointer(start: body.address, count: body.count)))
        transfer.start(for: self)
    }

    private func takeBatch() -> (bytes: [UInt8], count: Int) {
        var (bytes, count) = waiting.removeFirst()
        while let next = waiting.first, count + next.count <= Self.batch {
            bytes += next.bytes
            count += next.count
            waiting.removeFirst()
        }
        return (bytes, count)
    }

    /// Acts on a request that is over, or has taken too long.
    private func endRequest() {
        guard let transfer else { return }
        let isLate = !isFinished && now >= requestEnd
        guard isFinished || isLate else { return }
        if isLate { transfer.cancel() }
        let head = transfer.response
        if isLate {
            fail(because: "no response within \(Self.requestNanoseconds / 1_000_000_000) s")
        } else if let fault = transfer.outcome.fault {
            fail(because: CollectorFailure.reason(of: fault))
        } else if (200..<300).contains(head.status) {
            succeed()
        } else if [429, 502, 503, 504].contains(head.status) {
            let name = Array("Retry-After".utf8)
            let seconds = head.fields.withFirstValue(of: name.span) { $0.decimal } ?? nil
            fail(because: "status \(head.status)", retryAfter: seconds)
        } else {
            reject(because: "status \(head.status)")
        }
        isFinished = false
        self.transfer = nil
        transfer.discard()
    }

    private func succeed() {
        let count = current?.count ?? 0
        let rejected = min(max(TraceExport.rejectedSpans(in: response), 0), count)
        exporter.counts.exported.add(UInt64(count - rejected), ordering: .relaxed)
        exporter.counts.rejected.add(UInt64(rejected), ordering: .relaxed)
        exporter.release(count)
        current = nil
        if failures > 0 { exporter.logger.notice("traces are exported again", metadata: place) }
        failures = 0
    }

    /// The collector does not want these spans: they are dropped, and the next ones are tried after a pause.
    private func reject(because reason: String) {
        let count = current?.count ?? 0
        exporter.counts.rejected.add(UInt64(count), ordering: .relaxed)
        exporter.release(count)
        current = nil
        fail(because: reason)
    }

    /// The spans are kept; only the first of several failures is logged.
    private func fail(because reason: String, retryAfter seconds: Int64? = nil) {
        if failures == 0 {
            var metadata = place
            metadata["reason"] = "\(reason)"
            exporter.logger.warning("traces cannot be exported", metadata: metadata)
        }
        failures += 1
        var pause = min(Self.longestPause, Self.shortestPause << Int64(min(failures - 1, 5)))
        if let seconds { pause = max(pause, min(seconds, 60) * 1_000_000_000) }
        pauseEnd = now.later(by: pause)
    }

    private var place: Logger.Metadata {
        let configuration = exporter.configuration
        return ["endpoint": "\(configuration.endpoint.origin)\(configuration.target)"]
    }

    // MARK: TransferDelegate

    func transferDidReceiveInterim(_ transfer: any UpstreamTransfer) {}

    func transferDidReceiveHead(_ transfer: any UpstreamTransfer, _ response: ResponseHead) {}

    func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition {
        response.append(bytes.extracting(0..<min(bytes.count, max(0, Self.responseLimit - response.count))))
        return .taken
    }

    func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent { .none }

    func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
        -> UploadStep
    { .end }

    func transferDidFinish(_ transfer: any UpstreamTransfer) { isFinished = true }

    // MARK: HTTP1PoolOwner

    var nowNanoseconds: Int64 { now.nanoseconds }

    /// Each iteration reports them.
    func poolHasFinishedTransfers(_ pool: HTTP1Pool) { mustReport = true }

    // MARK: ReadinessHandler

    /// There are messages.
    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) { takeMessages() }

    private func takeMessages() {
        for message in exporter.mailbox.takeAll() {
            switch message {
            case .spans(let bytes, let count): waiting.append((bytes, count))
            case .retire(let end): (finishBy, mayGetMore) = (end, true)
            case .finish(let end):
                finishBy = end
                // What could not be sent so far is tried once more.
                (failures, pauseEnd) = (0, .distantPast)
            }
        }
    }
}

/// Why a collector gave no usable response.
enum CollectorFailure {
    static func reason(of fault: TransferFault) -> String {
        switch fault {
        case .nameNotResolved: return "its name does not resolve"
        case .connectFailed(let number):
            var error = SystemError("connect")
            error.number = number
            return number == 0 ? "it cannot be reached" : "\(error)"
        case .connectTimedOut: return "no connection in time"
        case .tlsUntrusted(let words): return "its certificate is not trusted: \(words)"
        case .tlsHandshake(let words), .tlsAlert(let words): return "TLS failed: \(words)"
        case .tlsFiles(let words), .other(let words): return words
        case .closedBeforeAnswer, .handshakeCut, .incomplete: return "it closed the connection"
        default: return "its response is not valid HTTP"
        }
    }
}
