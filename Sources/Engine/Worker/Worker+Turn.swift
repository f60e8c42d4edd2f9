internal import Core
internal import Downstream
internal import Loop

/// The order of work within a turn of the loop. What is called from inside a library only records; what calls back into one happens here.
extension Worker {
    /// How often libmicrohttpd runs in a row while it has something to do: its steps are small, and looking for events between them
    /// is dear.
    private static let burst = 8
    /// For how long, in nanoseconds, at most: large answers always go on.
    private static let burstNanoseconds: Int64 = 500_000
    /// How often a turn goes round between the libraries before it looks for events again.
    private static let roundsPerTurn = 4
    /// For how long, in nanoseconds, last answers are sent behind the grace period of a drain.
    private static let lastAnswerNanoseconds: Int64 = 1_000_000_000

    /// Serves until a drain is over.
    func run() {
        while drainStage != .over {
            turn()
            advanceDrain()
        }
        stop()
    }

    /// Notes that libmicrohttpd has something to do.
    func daemonsAreReady() { daemonsMustRun = true }

    /// Notes that a multi was called, or wants to be.
    func list(_ upstream: ProviderConnections) {
        guard !upstream.isListed else { return }
        upstream.isListed = true
        listed.append(upstream)
    }

    /// Notes that libcurl begins to work on an upstream.
    func noteBusy(_ upstream: ProviderConnections) {
        guard !upstream.isBusy else { return }
        upstream.isBusy = true
        busy.append(upstream)
    }

    /// Notes that an exchange has something new for its client, or room for its provider.
    func touch(_ exchange: Exchange) {
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
            // A deadline may send a request. What has arrived on an idle connection until then must have been seen, or it would be taken
            // for the response.
            if events == 0 { _ = loop.wait(atMost: 0) }
            while let deadline = deadlines.popDue(at: now) { fire(deadline) }
        }
        ledgerClient?.run(at: now)
        for _ in 0..<Self.roundsPerTurn {
            runUpstreams()
            runTouched()
            if daemonsMustRun { runDaemons() }
            if listed.isEmpty, touched.isEmpty, !daemonsMustRun { break }
        }
        if mustSweep { sweepGenerations() }
    }

    /// The longest time to wait for events.
    ///
    /// libmicrohttpd asks for 0 also while a request waits without being suspended. One millisecond serves that one as well, since its
    /// answer comes as an event of another socket; the loop does not spin.
    private func waitMilliseconds() -> Int32 {
        if daemonsMustRun || !listed.isEmpty || !touched.isEmpty { return 0 }
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
        case .acceptance(let listener): listener.acceptAgain()
        }
    }

    /// Lets libcurl work where it has something to do, and reports what has ended.
    private func runUpstreams() {
        let milliseconds = now.nanoseconds / 1_000_000
        if !busy.isEmpty { listDue(at: milliseconds) }
        var index = 0
        while index < listed.count {
            let upstream = listed[index]
            index += 1
            upstream.isListed = false
            upstream.run(nowMilliseconds: milliseconds)
            let opened = upstream.takeOpenedConnections()
            for _ in 0..<opened { metrics.upstreamConnectionOpened(provider: upstream.provider.index) }
            if index > 64 { break }
        }
        listed.removeFirst(index)
    }

    /// Lists those whose deadline has come, and forgets those on whom libcurl works no more.
    private func listDue(at milliseconds: Int64) {
        busy.removeAll { upstream in
            guard upstream.hasWork else {
                upstream.isBusy = false
                return true
            }
            if let deadline = upstream.deadlineMilliseconds, deadline <= milliseconds { list(upstream) }
            return false
        }
    }

    /// What was recorded in libcurl's callbacks is acted on: an answer that is not complete starts to stream, pauses end.
    private func runTouched() {
        while !touched.isEmpty {
            // Two arrays take turns, so that neither is allocated anew.
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

    /// - Returns: after how many milliseconds it wants to run again, whatever happens.
    private func run(_ daemon: HTTPDaemon) -> Int? {
        daemon.run()
        if daemon.hasNews { daemonsHaveNews = true }
        return daemon.timeoutMilliseconds
    }

    // MARK: The end

    /// Stops accepting; what waits is refused, what is in flight goes on until `end`.
    func drain(until end: MonotonicTime) {
        guard drainsUntil == nil else { return }
        drainsUntil = end
        drainStage = .finishing
        // Probes and scrapes are served until the drain ends.
        for listener in listeners where !listener.servesProbes { listener.stopAccepting() }
        for exchange in allExchanges { exchange.handle(.drainBegan) }
        daemonsMustRun = true
    }

    /// Whether a worker that drains has nothing to do any more.
    private var isQuiet: Bool {
        // An answer that ends its connection has not arrived when the system has it: the client may still send.
        guard activeRequests == 0, hasLookedAgain, !daemonsMustRun, !daemonsHaveNews else { return false }
        return !hasLeavingClients
    }

    private var hasLeavingClients: Bool { listeners.contains { $0.daemon.hasLeavingClients } }

    /// When the stage of a drain ends at the latest.
    private var drainEnd: MonotonicTime? {
        drainStage == .lastAnswers ? drainsUntil?.later(by: Self.lastAnswerNanoseconds) : drainsUntil
    }

    /// Goes to the next stage of a drain where this one is over.
    private func advanceDrain() {
        guard let drainsUntil else { return }
        let isLate = now >= drainsUntil
        if drainStage == .finishing, isLate || isQuiet {
            drainStage = .awaitingOthers
            if service.instance.workerHasFinished() {
                for mailbox in mailboxes { mailbox.post(.othersHaveFinished) }
            }
        }
        if drainStage == .awaitingOthers,
            isLate || !service.instance.workersAreDraining || !listeners.contains(where: \.servesProbes)
        {
            drainStage = .closing
            for listener in listeners where listener.stopAccepting() {
                // What has been accepted last is answered.
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
        }
        if drainStage == .lastAnswers, let drainEnd,
            now >= drainEnd || !daemonsMustRun && !hasLeavingClients
        {
            drainStage = .over
        }
    }

    /// Ends everything: transfers are cancelled, connections closed.
    private func stop() {
        for listener in listeners { listener.daemon.stopSuspending() }
        for exchange in allExchanges { exchange.abortForShutdown() }
        for listener in listeners {
            listener.daemon.run()
            listener.daemon.stop()
        }
        for upstream in upstreams { upstream.close() }
        letGo()
    }
}
