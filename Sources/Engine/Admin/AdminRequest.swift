internal import Core
internal import Downstream
internal import Loop
internal import Synchronization
internal import Wire

/// A request for an admin path, answered at once from memory.
final class AdminRequest: IncomingRequest {
    /// How many of the most recently used ledgers are searched for the one with the fewest free slots.
    static let rowsForGauges = 64

    let worker: Worker
    private let target: [UInt8]
    private(set) var path: AdminPath
    /// Whether web pages can reach the listener on which the request arrived; see ``PageGuard``.
    private let isWithinReachOfPages: Bool
    private var page = AdminPage(status: 200, contentType: AdminPage.json, body: [])
    private var body = ByteQueue()
    private var hasBegun = false

    init(worker: Worker, target: Span<UInt8>, isWithinReachOfPages: Bool) {
        self.worker = worker
        self.isWithinReachOfPages = isWithinReachOfPages
        var bytes: [UInt8] = []
        bytes.append(target)
        self.target = bytes
        path = AdminPath(target)
        super.init()
    }

    override func headReceived() -> Bool {
        hasBegun = true
        worker.activeRequests += 1
        let inspection = inspect()
        if let fault = inspection.fault {
            page = problem(fault)
            return answerAndLeave()
        }
        if inspection.isForServer {
            page = AdminPage(status: 204, contentType: "", body: [])
            page.fields = [("Allow", "GET, HEAD, OPTIONS")]
            return readsRest(inspection) || answerAndLeave()
        }
        if isWithinReachOfPages, let refusal = pageRefusal(names: worker.service.configuration.hosts) {
            page = problem(refusal.fault(place: "This is an admin page of Weir"))
            return readsRest(inspection) || answerAndLeave()
        }
        let access = access
        if let refusal = access.refusal {
            page = problem(refusal)
            return readsRest(inspection) || answerAndLeave()
        }
        if access.isKnown, !readsRest(inspection), !inspection.hasDrainableBody {
            page = problem(.requestTooLarge, "Admin pages accept no request body.")
            return answerAndLeave()
        }
        page = makePage(for: access)
        // A request body has no use here. A small one that has arrived is read so that the connection can be kept.
        return readsRest(inspection) || answerAndLeave()
    }

    private func makePage(for access: Access) -> AdminPage {
        switch access {
        case .none:
            let methods = path.allowedMethods
            return problem(.methodNotAllowed, Text("This admin page accepts only \(methods)."))
        case .refused(let fault): return problem(fault)
        case .change: return change()
        case .read:
            var accept = ""
            head.forEachField { name, value in
                if name.equalsIgnoringCase("accept") { accept = value.string }
            }
            return makePage(accept: accept)
        }
    }

    /// Whether the request is read to its end before the response: the rest of it may never arrive.
    private func readsRest(_ inspection: RequestInspection) -> Bool {
        inspection.hasDrainableBody && isReceivedWhole
    }

    /// Responds before the client has sent everything; the connection ends.
    private func answerAndLeave() -> Bool {
        let isHead = head.withMethod { $0.equals("HEAD") }
        let page = page
        return answerAndLeave(
            ClosingAnswer(status: page.status, fields: fields, body: page.body.span, isHead: isHead))
    }

    override func connectionsClose() {
        if hasBegun { _ = answerAndLeave() }
    }

    override func awaitAnswer() -> Wait {
        body.append(page.body)
        let isAnswered = unsafe respond(
            status: page.status, fields: fields,
            body: .memory(UnsafeRawBufferPointer(start: body.address, count: body.count)))
        return isAnswered ? .answered : .abandon
    }

    private var fields: FieldBlock {
        var fields = FieldBlock()
        if page.status != 204 { fields.append("Content-Type", page.contentType) }
        fields.append("Cache-Control", "no-store")
        // The page contains text from the configuration and from providers; browsers must not run any of it.
        fields.append("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        fields.append("X-Content-Type-Options", "nosniff")
        for (name, value) in page.fields { fields.append(name, value) }
        return fields
    }

    override func completed(isWhole: Bool) {
        if hasBegun { worker.requestIsOver() }
    }

    /// Inspects the request's head like that of any other request.
    private func inspect() -> RequestInspection {
        let service = worker.service
        var inspection = RequestInspection(pseudonym: service.instance.pseudonym)
        head.withMethod { inspection.take(method: $0) }
        head.forEachField { name, value in inspection.take(name: name, value: value) }
        let (head, target) = (head, target)
        let offset = RequestTarget.pathOffset(in: target.span, &inspection) { authority in
            var isHost = false
            head.forEachField { name, value in
                if name.equalsIgnoringCase("host"), value.equalsIgnoringCase(authority) { isHost = true }
            }
            return isHost
        }
        if let offset, offset > 0 { path = AdminPath(target.span.extracting(offset..<target.count)) }
        head.withMethod { method in
            inspection.finish(
                method: method, target: target.span, isHTTP10: head.isHTTP10, fieldBytes: head.fieldBytes,
                fieldCount: head.fieldCount, limits: service.inspectionLimits)
        }
        return inspection
    }

    private func makePage(accept: String) -> AdminPage {
        let service = worker.service
        switch path {
        case .metrics: return metrics(accept: accept)
        case .live: return AdminPage(json: #"{"status":"alive"}"#)
        case .ready:
            return service.isDraining
                ? problem(.shuttingDown, "Weir is shutting down.") : AdminPage(json: #"{"status":"ready"}"#)
        case .problemSchema:
            return AdminPage(status: 200, contentType: "application/schema+json", body: service.problemSchema)
        case .limits(let cost):
            guard let cost else {
                let allowed = PacingDemand.maximumWeight
                return problem(
                    .badClientRequest, Text("The query must be cost=N, with N from 1 to \(allowed)."))
            }
            return LimitsPage.page(of: service, cost: cost, at: Worker.clock())
        case .errors(let code): return errors(code: code, accept: accept)
        case .index: return StatusPage.page(of: service, at: Worker.clock())
        case .requests(id: nil): return service.instance.problems.index()
        case .requests(let id?):
            return service.instance.problems.page(named: id)
                ?? problem(
                    .routeNotFound,
                    Text(
                        "None of the last \(RecentProblems.count) problems has this request id."
                    ))
        case .unmapped: return service.instance.unmapped.page()
        case .logLevel: return logLevelPage()
        case .quit: return problem(.routeNotFound, "/-/quit cannot be read.")
        case .credentials: return CredentialsPage.page(of: service)
        case .unknown:
            let all = AdminPath.all.joined(separator: ", ")
            return problem(.routeNotFound, Text("There is no such admin page. There are: \(all)."))
        }
    }

    private func metrics(accept: String) -> AdminPage {
        let service = worker.service
        let format = ExpositionFormat(accept: accept.isEmpty ? nil : accept)
        let now = Worker.clock()
        let gauges = service.providers.map { provider in
            var gauges = PacingGauges(
                provider.pacer.snapshot(at: now, rows: Self.rowsForGauges), of: provider)
            gauges.queueDepth += provider.waitingForLedger
            return (provider.index, gauges)
        }
        let process = ProcessReading.now(startedWallNanoseconds: service.startedWallNanoseconds)
        let text = service.metrics.render(
            format, pacing: Dictionary(uniqueKeysWithValues: gauges),
            guards: Dictionary(
                uniqueKeysWithValues: service.providers.map { ($0.index, $0.guards.gauges(at: now)) }),
            ledger: service.configuration.ledger == nil ? nil : service.instance.ledger.gauges,
            reloads: service.instance.reloadStatus.counts, process: process,
            instance: InstanceCounts(
                acceptPauses: service.instance.acceptPauses.load(ordering: .relaxed),
                logLinesDropped: service.droppedLogLines(), traces: service.instance.traceCounts.gauges))
        return AdminPage(status: 200, contentType: format.contentType, body: text)
    }

    private func errors(code: String?, accept: String) -> AdminPage {
        let wantsHTML = accept.contains("text/html")
        guard let code else { return ErrorCatalogue.index(asHTML: wantsHTML, of: worker.service) }
        guard let known = ProblemCode(name: code) else {
            return problem(.routeNotFound, "There is no error code of this name.")
        }
        return ErrorCatalogue.page(of: known, asHTML: wantsHTML, in: worker.service)
    }

    func problem(_ code: ProblemCode, _ detail: Text) -> AdminPage {
        var fault = Fault(code, detail: detail, effect: Effect.none)
        if code == .methodNotAllowed {
            fault = Fault(.badClientRequest, detail: detail, effect: Effect.none)
            fault.status = 405
        }
        return problem(fault)
    }

    private func problem(_ fault: Fault) -> AdminPage {
        let id = worker.requestIDs.next(
            milliseconds: UInt64(clamping: SystemClock.coarseWallMilliseconds))
        let problem = Problem(fault, provider: nil, requestID: Text(id), isRepeatSafe: true)
        var body: [UInt8] = []
        problem.encode(into: &body, as: worker.service.problemFormat)
        var page = AdminPage(status: problem.status, contentType: "application/problem+json", body: body)
        page.fields = [
            ("X-Error-Code", problem.code.name), ("X-Request-Id", String(decoding: id, as: UTF8.self)),
        ]
        let proxyStatus = fault.proxyError.status(of: worker.service.pseudonym)
        page.fields.append(("Proxy-Status", String(decoding: proxyStatus, as: UTF8.self)))
        if problem.status == 405 { page.fields.append(("Allow", path.allowedMethods)) }
        return page
    }
}

extension PacingGauges {
    fileprivate init(_ snapshot: PacerSnapshot, of provider: ProviderService) {
        let names = provider.limitNames(of: snapshot.windows.map(\.window))
        self.init(
            queueDepth: snapshot.waiting, oldestNanoseconds: snapshot.oldestWait.wholeNanoseconds,
            limits: snapshot.windows.map { reading in
                Limit(
                    policy: names[reading.limit],
                    requests: reading.window.requests, windowNanoseconds: reading.window.per.wholeNanoseconds,
                    remaining: reading.remaining, resetNanoseconds: reading.resetIn.wholeNanoseconds)
            })
        pausedLedgers = snapshot.paused
        foreignShare = snapshot.foreignShare
        strangeLimit = snapshot.reportedLimit ?? 0
        wouldHaveWaited = snapshot.wouldHaveWaited
        wouldHaveBeenRefused = snapshot.wouldHaveBeenRefused
    }
}
