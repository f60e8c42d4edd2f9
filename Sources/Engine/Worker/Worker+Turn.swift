internal import Core
internal import Downstream
internal import Loop

/// The order of work within one iteration of the loop. Callbacks of the libraries only record; calls into the
/// libraries are made here.
extension Worker {
    /// How often libmicrohttpd runs in a row while it has work: its steps are small, and polling for events between
    /// them is expensive.
    private static let burst = 8
    /// The maximum duration of a burst, in nanoseconds, since large responses could continue forever.
    private static let burstNanoseconds: Int64 = 500_000
    /// How many rounds an iteration makes between the libraries before it polls for events again.
    private static let roundsPerTurn = 4
    /// How long final responses may be sent after the grace period of a drain, in nanoseconds.
    private static let lastAnswerNanoseconds: Int64 = 1_000_000_000

    /// Serves until a drain is complete.
    func run() {
        loop.bindToThread()
        while drainStage != .over {
            turn()
            advanceDrain()
        }
        stop()
    }

    /// Records that libmicrohttpd has work to do.
    func daemonsAreReady() { daemonsMustRun = true }

    /// Records that a multi was called, or wants to be called.
    func schedule(_ upstream: ProviderConnections) {
        guard !upstream.isScheduled else { return }
        upstream.isScheduled = true
        scheduled.append(upstream)
    }

    /// Records that libcurl begins to work on an upstream.
    func markBusy(_ upstream: ProviderConnections) {
        guard !upstream.isBusy else { return }
        upstream.isBusy = true
        busy.append(upstream)
    }

    /// Records that an exchange has new data for its client, or buffer space for its provider.
    func touch(_ exchange: Exchange) {
        loop.confinement.assertKept()
        guard !exchange.isTouched else { return }
        exchange.isTouched = true
        touched.append(exchange)
    }

    private func turn() {
        let timeout = waitMilliseconds()
        let events = loop.wait(atMost: timeout)
        if events == 0, drainsUntil != nil { hasLookedAgain = true }
        readClock()
        isIdleTick = events == 0 && timeout == 1
        if let daemonsRunAt, daemonsRunAt <= now { daemonsMustRun = true }
        if let earliest = deadlines.earliest, earliest <= now {
            // A deadline may send a request. Bytes that arrived on an idle connection before that must have been
            // seen, or they would be taken for the response.
            if events == 0 { _ = loop.wait(atMost: 0) }
            while let deadline = deadlines.popDue(at: now) { fire(deadline) }
        }
        ledgerClient?.run(at: now)
        for _ in 0..<Self.roundsPerTurn {
            runUpstreams()
            runTouched()
            if daemonsMustRun { runDaemons() }
            if scheduled.isEmpty, touched.isEmpty, !daemonsMustRun { break }
        }
        if mustSweep { sweepGenerations() }
    }

    /// The longest time to wait for events.
    ///
    /// libmicrohttpd also asks for 0 while a request waits without being suspended. One millisecond is enough for
    /// such a request, since its response arrives as an event of another socket, and it keeps the loop from spinning.
    private func waitMilliseconds() -> Int32 {
        if daemonsMustRun || !scheduled.isEmpty || !touched.isEmpty { return 0 }
        if drainsUntil != nil, !hasLookedAgain {
            if daemonsHaveNews { daemonsMustRun = true }
            return 0
        }
        var timeout: Int64 = -1
        func limit(to milliseconds: Int64) {
            if timeout < 0 || milliseconds < timeout { timeout = max(0, milliseconds) }
        }
        if daemonsHaveNews {
            daemonsMustRun = true
            return 0
        }
        if let daemonsRunAt {
            daemonsMustRun = daemonsRunAt <= now
            limit(to: daemonsMustRun && pollers > 0 ? 1 : milliseconds(until: daemonsRunAt))
        }
        if let earliest = deadlines.earliest { limit(to: milliseconds(until: earliest)) }
        if let earliest = ledgerClient?.deadline { limit(to: milliseconds(until: earliest)) }
        if let drainEnd { limit(to: milliseconds(until: drainEnd)) }
        for upstream in busy where upstream.hasWork {
            if let deadline = upstream.deadlineMilliseconds {
                limit(to: deadline - now.nanoseconds / 1_000_000)
            }
        }
        return Int32(clamping: timeout)
    }

    private func milliseconds(until time: MonotonicTime) -> Int64 {
        let nanoseconds = now.nanoseconds(to: time)
        return nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0)
    }

    private func fire(_ deadline: Deadline) {
        switch deadline {
        case .exchange(let exchange): exchange.deadlineHasCome()
        case .departure(let exchange): exchange.checkDeparture()
        case .wake(let pacer, let wake): advance(wake, of: pacer)
        case .idleMemory: giveBackIdleMemory()
        case .traces: flushTraces()
        case .acceptance(let listener): listener.resumeAccepting()
        }
    }

    /// Runs libcurl where it has work, and reports finished transfers.
    private func runUpstreams() {
        let milliseconds = now.nanoseconds / 1_000_000
        if !busy.isEmpty { scheduleDue(at: milliseconds) }
        var index = 0
        while index < scheduled.count {
            let upstream = scheduled[index]
            index += 1
            upstream.isScheduled = false
            upstream.run(nowMilliseconds: milliseconds)
            let opened = upstream.takeOpenedConnections()
            for _ in 0..<opened { metrics.upstreamConnectionOpened(provider: upstream.provider.index) }
            if index > 64 { break }
        }
        scheduled.removeFirst(index)
    }

    /// Lists connections whose deadline has passed, and removes those on which libcurl no longer works.
    private func scheduleDue(at milliseconds: Int64) {
        busy.removeAll { upstream in
            guard upstream.hasWork else {
                upstream.isBusy = false
                return true
            }
            if let deadline = upstream.deadlineMilliseconds, deadline <= milliseconds { schedule(upstream) }
            return false
        }
    }

    /// Acts on what libcurl's callbacks recorded: starts to stream an incomplete response, resumes paused transfers.
    private func runTouched() {
        while !touched.isEmpty {
            // Two arrays alternate, so that neither is reallocated.
            swap(&touched, &acting)
            for exchange in acting {
                exchange.isTouched = false
                exchange.actOnBatch()
            }
            acting.removeAll(keepingCapacity: true)
        }
    }

    private func runDaemons() {
        daemonsMustRun = false
        for _ in 0..<Self.burst {
            deliveredUploads = false
            daemonsHaveNews = false
            var wait: Int?
            for index in listeners.indices {
                if let wanted = run(listeners[index].daemon) { wait = min(wait ?? .max, wanted) }
            }
            daemonsRunAt = wait.map { now.later(by: Int64($0) * 1_000_000) }
            let goesOn = daemonsHaveNews || deliveredUploads || wait == 0 && pollers == 0
            if !goesOn || now.nanoseconds(to: Self.clock()) > Self.burstNanoseconds { break }
        }
    }

    /// - Returns: the milliseconds after which it must run again in any case.
    private func run(_ daemon: HTTPDaemon) -> Int? {
        daemon.run()
        if daemon.hasNews { daemonsHaveNews = true }
        return daemon.timeoutMilliseconds
    }

    // MARK: The end

    /// Stops accepting; waiting requests are rejected, exchanges in flight may continue until `end`.
    func drain(until end: MonotonicTime) {
        guard drainsUntil == nil else { return }
        drainsUntil = end
        drainStage = .finishing
        // Probes and scrapes are served until the drain ends.
        for listener in listeners where !listener.servesProbes { listener.stopAccepting() }
        for exchange in allExchanges { exchange.handle(.drainBegan) }
        daemonsMustRun = true
    }

    /// Whether a draining worker has no work left.
    private var isQuiet: Bool {
        // When the system has accepted a final response, the client has not necessarily received it, and may still be
        // sending.
        guard activeRequests == 0, hasLookedAgain, !daemonsMustRun, !daemonsHaveNews else { return false }
        return !hasLeavingClients
    }

    private var hasLeavingClients: Bool { listeners.contains { $0.daemon.hasLeavingClients } }

    /// When the current stage of a drain ends at the latest.
    private var drainEnd: MonotonicTime? {
        drainStage == .lastAnswers ? drainsUntil?.later(by: Self.lastAnswerNanoseconds) : drainsUntil
    }

    /// Enters the next stage of a drain if this one is over.
    private func advanceDrain() {
        guard let drainsUntil else { return }
        let isLate = now >= drainsUntil
        if drainStage == .finishing, isLate || isQuiet {
            drainStage = .awaitingOthers
            if service.instance.workerHasFinished() {
                for mailbox in mailboxes { mailbox.post(.allWorkersFinished) }
            }
        }
        if drainStage == .awaitingOthers,
            isLate || !service.instance.workersAreDraining || !listeners.contains(where: \.servesProbes)
        {
            drainStage = .closing
            for listener in listeners where listener.stopAccepting() {
                // Requests on the connections that were accepted last are answered.
                hasLookedAgain = false
                daemonsMustRun = true
            }
        }
        if drainStage == .closing, isLate || isQuiet {
            drainStage = .lastAnswers
            if isLate {
                for listener in listeners { listener.daemon.requestLastAnswers() }
                daemonsMustRun = true
            }
            endKeptConnections()
        }
        if drainStage == .lastAnswers, let drainEnd {
            // A connection may have got a response since then.
            if now < drainEnd, !daemonsMustRun, !hasLeavingClients { endKeptConnections() }
            if now >= drainEnd || !daemonsMustRun && !hasLeavingClients { drainStage = .over }
        }
    }

    /// Ends connections whose last response is still on its way.
    private func endKeptConnections() {
        for listener in listeners where listener.daemon.endKeptConnections() { daemonsMustRun = true }
    }

    /// Ends everything: cancels transfers and closes connections.
    private func stop() {
        loop.confinement.check()
        for listener in listeners { listener.daemon.stopSuspending() }
        for exchange in allExchanges { exchange.abortForShutdown() }
        for listener in listeners {
            listener.daemon.run()
            listener.daemon.stop()
        }
        flushTraces()
        for upstream in upstreams { upstream.close() }
        releaseAll()
    }
}
