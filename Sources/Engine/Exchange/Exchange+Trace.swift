internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// The trace of an exchange: called only where traces are configured, and mostly only for those that are recorded.
extension Exchange {
    /// Joins the client's trace (`traceparent`), or begins one; the client decides whether its trace is recorded.
    func beginTrace() {
        let context = clientTrace ?? worker.traceIDs.root(service.samplingRate)
        traceContext = context
        if context.isSampled { trace = TraceRecord(context, id: worker.traceIDs.span()) }
    }

    /// The trace that the client names; `nil` if it names none, several, or not as the specification says.
    private var clientTrace: TraceContext? {
        var (count, context): (Int, TraceContext?) = (0, nil)
        head.forEachField { name, value in
            guard name.count == 11, name.equalsIgnoringCase("traceparent") else { return }
            count += 1
            context = TraceContext(traceparent: value)
        }
        return count == 1 ? context : nil
    }

    /// The trace for the log and for problems: one that somebody can find.
    var shownTrace: TraceID? {
        guard let traceContext, traceContext.isSampled || traceContext.parent != nil else { return nil }
        return traceContext.trace
    }

    /// The stage may have changed: the request waits, or no longer.
    func traceStage(at now: MonotonicTime) {
        switch machine.stage {
        case .queued, .awaitingSharedQuota:
            if trace?.isWaiting == false { trace?.waitBegan(worker.traceIDs.span(), at: now) }
        default: trace?.waitEnded(at: now)
        }
    }

    /// The request is about to be sent.
    func traceAttemptBegan() { trace?.attemptBegan(worker.traceIDs.span(), at: Worker.clock()) }

    /// The attempt is over, and its meaning is known.
    func traceAttemptEnded(isCancelled: Bool = false) {
        trace?.attemptEnded(
            status: receivedStatus, code: isCancelled ? nil : problemCode, isCancelled: isCancelled,
            at: upstreamEndedAt ?? Worker.clock())
    }

    /// Tells the provider of the trace, with the attempt as the caller.
    ///
    /// A trace that is not recorded goes on as the client began it.
    func addTrace(to transfer: any UpstreamTransfer) {
        let (parent, state) = (FieldNames.traceparent, FieldNames.tracestate)
        guard let context = traceContext ?? clientTrace, !inspection.connectionFields.contains(parent.span)
        else { return }
        var value: [UInt8] = []
        let span = trace?.attempt ?? context.parent ?? worker.traceIDs.span()
        context.appendTraceparent(span: span, to: &value)
        transfer.addField(parent, value)
        guard context.parent != nil, !inspection.connectionFields.contains(state.span) else { return }
        head.forEachField { name, value in
            guard name.equalsIgnoringCase(state.span) else { return }
            transfer.addField(name: name, value: value)
        }
    }

    /// Hands over the spans at the end of the exchange, unless there are too many on their way.
    func exportTrace(_ record: ExchangeRecord, at end: MonotonicTime) {
        guard var trace, let exporter = worker.service.traces else { return }
        self.trace = nil
        trace.waitEnded(at: end)
        trace.attemptEnded(status: receivedStatus, code: problemCode, at: upstreamEndedAt ?? end)
        let wallNanoseconds = SystemClock.wallNanoseconds
        worker.service.metrics.keepExemplar(
            of: record, trace: trace.context.trace, atWallMilliseconds: wallNanoseconds / 1_000_000)
        guard exporter.reserve(trace.count) else { return }
        let (bytes, count) = trace.encode(
            traceEnding(record), from: startedAt, to: end, wallOffset: wallNanoseconds - end.nanoseconds)
        worker.keepSpans(bytes, count: count)
    }

    private func traceEnding(_ record: ExchangeRecord) -> TraceRecord.Ending {
        func path(_ target: [UInt8]) -> String {
            let end = min(target.firstIndex(of: 0x3F) ?? target.count, Self.tracedPathLimit)
            return String(decoding: target[..<end], as: UTF8.self)
        }
        var ending = TraceRecord.Ending(
            method: head.withMethod { $0.string }, path: path(target),
            requestID: String(decoding: requestID, as: UTF8.self))
        if case .mounts = destination { ending.route = provider?.configuration.mount?.path }
        ending.isEncrypted = isEncrypted
        ending.provider = provider?.configuration.name
        ending.upstream = provider?.configuration.upstream
        if record.attempts > 0 { ending.upstreamPath = path(upstreamTarget) }
        (ending.status, ending.code) = (record.sentStatus, problemCode)
        ending.requestBytes = Int(clamping: record.requestBytes)
        ending.responseBytes = Int(clamping: record.responseBytes)
        (ending.waited, ending.abort) = (record.queueNanoseconds, record.abort)
        return ending
    }

    /// Longer paths are truncated in spans.
    private static let tracedPathLimit = 1024
}

extension Worker {
    /// Keeps spans until there are more, or some time has passed.
    func keepSpans(_ bytes: [UInt8], count: Int) {
        if spans.append(bytes, count: count) { return spans.flush(to: service.traces) }
        guard !spans.isScheduled else { return }
        spans.isScheduled = true
        _ = deadlines.insert(.traces, at: now.later(by: TraceBuffer.delay))
    }

    /// Hands over spans, before the exporter changes at the latest.
    func flushTraces() {
        spans.isScheduled = false
        spans.flush(to: service.traces)
    }
}
