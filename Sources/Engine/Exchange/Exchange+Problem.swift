internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// How an error becomes the problem that the client gets.
extension Exchange {
    /// Makes a problem of why the request is refused.
    func makeProblem() {
        let effect = machine.wasSent ? Effect.unknown : .none
        switch machine.refusal {
        case .queueTimeout: fault = Fault(.queueTimeout, effect: effect)
        case .drainBegan:
            if let provider { worker.metrics.queueRefused(provider: provider.index, reason: .shuttingDown) }
            fault = Fault(.shuttingDown, effect: effect)
        case .drainEnded: fault = Fault(.shuttingDown, effect: effect)
        case .broken: fault?.effect = effect
        case nil: break
        }
        makeProblem(of: fault ?? Fault(.internalError, effect: .unknown))
    }

    /// Makes a problem of a failure that no answer of the provider's tells.
    func makeProblem(of fault: Fault) {
        var fault = fault
        fault.effect = fault.effect.combined(with: retrying.effect)
        var problem = Problem(
            fault, provider: provider?.name, requestID: Text(requestID), isRepeatSafe: isRepeatSafe(fault))
        retrying.failure = AttemptFailure(
            problem.code, isRetryable: problem.isRetryable, retryAfter: problem.retryAfter,
            effect: fault.effect)
        if problem.code == .internalError { assertionFailure("\(fault)") }
        takeHeadroom(of: fault)
        complete(&problem)
        beginProblemFields()
        // RFC 9110 11.6.1: a 401 must say how to authenticate.
        if problem.status == 401 { responseFields.append(FieldNames.authenticate, FieldNames.anyScheme) }
        addProxyStatus(error: fault.proxyError)
        write(problem)
    }

    /// Makes a problem of the provider's answer, if it is an error; else hands it on.
    func normalize() {
        guard let transfer, let provider else { return }
        let response = transfer.response
        let answer = answerSoFar(response, isCut: !isCollectedWhole)
        guard let error = takeMeaning(of: answer, from: provider) else { return passUntouched() }
        errorRequestID = ErrorRequestID(id: error.upstream.requestID)
        let retryAfter = error.retryAfter.map { Double(secondsToRetry(after: $0, at: provider)) }
        retrying.failure = AttemptFailure(
            error.code, isRetryable: error.isRetryable, retryAfter: retryAfter, effect: error.effect)
        // What is not decoded to its end cannot be searched for Weir's own credential.
        let isSearchable = answer.isDecoded && !answer.isTruncated || provider.heldCredential == nil
        if keepsErrorBody(status: response.status), isCollectedWhole, isSearchable {
            hideCredential(inRelayed: answer)
            problemCode = error.code
            if errorForm == .merged {
                merge(makeProblem(of: error, retryAfter: retryAfter, from: provider), error, into: answer)
            }
            self.answer = .relay
            return
        }
        let problem = makeProblem(of: error, retryAfter: retryAfter, from: provider)
        beginProblemFields()
        keepFields(of: response, status: problem.status)
        addProxyStatus(receivedStatus: response.status)
        write(problem)
    }

    /// The problem that a provider's error becomes.
    private func makeProblem(
        of error: NormalizedError, retryAfter: Double?, from provider: ProviderService
    ) -> Problem {
        var problem = Problem(error, provider: provider.name, requestID: Text(requestID))
        problem.setRetryAfter(retryAfter)
        problem.effect = problem.effect.combined(with: retrying.effect)
        if provider.configuration.sendsCanonicalStatus { problem.status = problem.code.status }
        complete(&problem)
        return problem
    }

    /// Keeps the header of an error that is relayed as it arrives, where errors are merged.
    func mergeUnread(_ error: NormalizedError, from provider: ProviderService) {
        let retryAfter = error.retryAfter.map { Double(secondsToRetry(after: $0, at: provider)) }
        merge(makeProblem(of: error, retryAfter: retryAfter, from: provider), error, into: nil)
    }

    /// Makes the provider's error, which keeps its body, report the problem: in its header fields, and in its body if that is a JSON object.
    ///
    /// - Parameter answer: the whole error, with its body as it reads without a content coding; `nil` if it is relayed as it arrives.
    private func merge(_ problem: borrowing Problem, _ error: NormalizedError, into answer: ProviderAnswer?) {
        var bytes: [UInt8] = []
        problem.encode(into: &bytes, as: service.problemFormat)
        // SDKs that read errors from a body with status 200 report that status: the one that a rule names is for problems.
        let isStatusRuled =
            error.ruledStatus != nil && error.upstream.status >= 400
            || provider?.configuration.sendsCanonicalStatus == true
        mergedError = MergedError(
            status: isStatusRuled ? problem.status : error.upstream.status,
            retryAfter: problem.retryAfterField, problem: bytes)
        guard let answer else { return }
        // The body that a GET would get is not known, so nothing is said of its bytes (RFC 9110 9.3.2).
        if isHead { return isRewritten = true }
        guard !answer.isTruncated, !answer.isConverted,
            let merged = MergedBody.merging(bytes, into: isRewritten ? responseBody.bytes : answer.body)
        else { return }
        responseBody.removeAll()
        responseBody.append(merged)
        isRewritten = true
    }

    /// Counts an answer that no rule knows, and shows it to people.
    func noteUnmapped(_ answer: ProviderAnswer, _ error: NormalizedError, of provider: ProviderService) {
        worker.metrics.unmappedError(provider: provider.index, status: answer.status)
        service.instance.unmapped.add(
            provider: provider.configuration.name, status: answer.status,
            contentType: error.upstream.contentType.map { Array($0.bytes) } ?? [], shape: error.shape,
            at: SystemClock.wallNanoseconds
        ) { excerptLimit, shapeLimit in
            let facts = makeFacts(of: provider)
            return (
                provider.normalizer.excerpt(of: answer, facts, limit: excerptLimit),
                provider.normalizer.shape(of: answer, facts, limit: shapeLimit)
            )
        }
    }

    /// Whether nothing of the answer's body is missing.
    private var isCollectedWhole: Bool {
        !isTruncated && machine.timedOut == nil && transfer?.outcome.isComplete != false
    }

    /// What looked like an error from its head is none: it is relayed, unless it has broken off.
    private func passUntouched() {
        if isCollectedWhole {
            answer = .relay
            return
        }
        guard let transfer else { return }
        let fault = failure(of: transfer)
        self.fault = fault
        makeProblem(of: fault)
    }

    /// Tells the pacer what an answer means for the limit; without an error, that it means nothing.
    func judge(_ error: NormalizedError?) {
        guard let provider, let slot else { return }
        var ruling = Ruling.accepted
        switch error?.pacing ?? .proceed {
        case .proceed: break
        case .pauseLedger(let seconds), .pauseQuota(let seconds):
            guard let name = error?.limitName, let limit = provider.plan.limit(named: name) else {
                ruling = self.ruling(error, by: provider)
                break
            }
            ruling = .limited(limit: limit, retryAfter: seconds.map { .seconds($0) })
            worker.metrics.paused(provider: provider.index, reason: pauseReason(error))
        }
        let now = Worker.clock()
        worker.arm(provider.pacer.judge(slot, ruling, at: now), of: provider)
        guard ruling != .accepted else { return }
        tellOfPause(ruling, by: provider, at: now)
        refreshHeadroom(until: error?.retryAfter)
    }

    /// What an answer means for the key as a whole, or for a quota.
    private func ruling(_ error: NormalizedError?, by provider: ProviderService) -> Ruling {
        switch error?.pacing ?? .proceed {
        case .proceed: return .accepted
        case .pauseLedger(let seconds):
            let reason = pauseReason(error)
            worker.metrics.paused(provider: provider.index, reason: reason)
            return .rejected(retryAfter: seconds.map { .seconds($0) }, reason: reason)
        case .pauseQuota(let seconds):
            // Without a word about which requests use it, nothing can be held back but those that do not.
            guard provider.plan.quotaScope != nil else { return .accepted }
            worker.metrics.paused(provider: provider.index, reason: .quotaExceeded)
            return .quotaUsedUp(retryAfter: seconds.map { .seconds($0) })
        }
    }

    private func pauseReason(_ error: NormalizedError?) -> PauseReason {
        switch error?.code {
        case .rateLimited: .rateLimited
        case .quotaExceeded: .quotaExceeded
        default: .unavailable
        }
    }

    /// After how many seconds a client may retry to whom the provider says so many: if this instance would refuse it then, later, when
    /// it would send the request.
    ///
    /// The ledger may know of more than the provider says: a longer pause, or slots that are in use.
    private func secondsToRetry(after seconds: Int, at provider: ProviderService) -> Int {
        guard
            let wait = provider.pacer.expectedWait(of: demand(on: provider), at: Worker.clock()),
            wait > .seconds(seconds) + patience
        else { return seconds }
        let (whole, fraction) = wait.components
        return Int(clamping: whole) + (fraction > 0 ? 1 : 0)
    }

    // MARK: Facts

    func makeFacts(of provider: ProviderService) -> RequestFacts {
        let (target, head) = (target, head)
        let redactor = provider.normalizer.redactor(of: provider.credentials, target: target.span) {
            head.forEachField($0)
        }
        return RequestFacts(
            method: head.withMethod { $0.equals("GET") ? Self.get : Text(copying: $0) },
            path: Text(target, in: restOffset..<target.count), isIdempotent: isIdempotent,
            // Of no interest for a method that may be repeated anyway.
            hasIdempotencyKey: !isIdempotent && hasIdempotencyKey(of: provider), redactor: redactor)
    }

    /// The most frequent method; others are copied.
    private static let get: Text = "GET"

    private func hasIdempotencyKey(of provider: ProviderService) -> Bool {
        guard let name = provider.normalizer.profile.idempotency?.header else { return false }
        return hasField(Array(name.utf8))
    }

    private func isRepeatSafe(_ fault: Fault) -> Bool {
        if isIdempotent { return true }
        guard fault.effect != .none, let provider, hasIdempotencyKey(of: provider) else { return false }
        let facts = makeFacts(of: provider)
        return provider.normalizer.profile.honoursIdempotencyKey(method: facts.method, path: facts.path)
    }

    // MARK: Writing

    private func complete(_ problem: inout Problem) {
        problem.attempts = machine.attempts
        problem.waited = Double(machine.waited) / 1e9
        problem.trace = shownTrace
        problemCode = problem.code
    }

    private func beginProblemFields() {
        responseFields.removeAll()
        responseFields.append(FieldNames.contentType, FieldNames.problemType)
    }

    /// Keeps the fields of the provider's answer that are still true of a body that Weir wrote.
    private func keepFields(of response: ResponseHead, status: Int) {
        let marks = appendFields(of: response, as: .problem(status: response.status))
        addCaching(marks)
        // RFC 9110 11.6.1: a 401 must say how to authenticate.
        if status == 401, !marks.contains(.challenge) {
            responseFields.append(FieldNames.authenticate, FieldNames.anyScheme)
        }
    }

    /// Keeps an error out of caches, or makes them tell its forms apart where the provider lets them store it.
    private func addCaching(_ marks: FieldMarks) {
        guard marks.contains(.cacheControl) else {
            return responseFields.append(FieldNames.cacheControl, FieldNames.noStore)
        }
        responseFields.append(FieldNames.vary, FieldNames.errorFormat)
    }

    /// Adds the fields of a problem to those of the provider's error, which keeps its body.
    func addMergedFields(_ marks: FieldMarks, of error: MergedError, receivedStatus: Int) {
        addCaching(marks)
        if error.status == 401, receivedStatus != 401, !marks.contains(.challenge) {
            responseFields.append(FieldNames.authenticate, FieldNames.anyScheme)
        }
        addProxyStatus(receivedStatus: receivedStatus)
        if let problemCode {
            responseFields.append(name: FieldNames.errorCode) { $0.append(problemCode.name.utf8.span) }
        }
        if let seconds = error.retryAfter {
            responseFields.append(name: FieldNames.retryAfter) { JSONWriter.integer(seconds, into: &$0) }
        }
    }

    private func addProxyStatus(error: ProxyErrorType) {
        responseFields.append(FieldNames.cacheControl, FieldNames.noStore)
        responseFields.append(FieldNames.proxyStatus, error.status(of: worker.service.pseudonym))
    }

    func addProxyStatus(receivedStatus: Int) {
        responseFields.append(name: FieldNames.proxyStatus) {
            $0.append(worker.service.pseudonym)
            $0.append(FieldNames.receivedStatus)
            JSONWriter.integer(receivedStatus, into: &$0)
        }
    }

    private func write(_ problem: borrowing Problem) {
        responseFields.append(name: FieldNames.errorCode) { $0.append(problem.code.name.utf8.span) }
        responseFields.append(FieldNames.requestID, requestID)
        if let seconds = problem.retryAfterField {
            responseFields.append(name: FieldNames.retryAfter) { JSONWriter.integer(seconds, into: &$0) }
        }
        addRateLimit(
            hasProviders: responseFields.contains(FieldNames.rateLimit)
                || responseFields.contains(FieldNames.ratePolicy))
        addPreferenceApplied()
        responseBody.removeAll()
        problem.encode(into: &responseBody, as: service.problemFormat)
        problemStatus = problem.status
        answer = .problem
    }

    /// Says that the client's own bound on the wait was kept (RFC 7240 3).
    func addPreferenceApplied() {
        guard let seconds = inspection.preferredWait, provider != nil else { return }
        responseFields.append(name: FieldNames.preferenceApplied) {
            $0.append(literal: "wait=")
            JSONWriter.integer(Int(clamping: seconds), into: &$0)
        }
    }
}
