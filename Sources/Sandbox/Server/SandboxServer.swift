internal import Core
internal import Downstream
internal import Loop
internal import Wire

/// The event loop of a sandbox: it serves connections and delays responses; the simulated providers make all
/// decisions.
///
/// Confined to the thread that calls ``run()``.
final class SandboxServer: HTTPDaemonDelegate, ReadinessHandler {
    /// Messages from other threads to the server.
    enum Message: Sendable {
        /// Answer pending requests, and stop.
        case stop
    }

    /// The longest body of a request, in bytes.
    static let bodyLimit = 1 << 20
    /// How long stopping may take: a client that does not read its response is dropped.
    private static let stopPatience: Duration = .seconds(2)
    /// How long accepting pauses when resources are exhausted.
    private static let acceptPause: Duration = .milliseconds(100)

    private let loop: EventLoop
    private let mailbox: Mailbox<Message>
    private let counts: SandboxCounts
    private let imitations: [Mounted]
    private var behaviours: Behaviours
    private var daemon: HTTPDaemon?
    /// Requests with a delayed response.
    private var delayed = DeadlineHeap<SandboxRequest>()
    private var openRequests = 0
    /// The deadline of a shutdown that has begun.
    private var endsAt: MonotonicTime?
    /// When accepting resumes after a pause.
    private var acceptsFrom: MonotonicTime?

    /// A simulated provider, and where it is; it is made when it is first used.
    final class Mounted {
        /// The name of its profile.
        let name: String
        /// The path of its API.
        let mount: String
        /// The provider, and the responses that can be asked for.
        private lazy var made = make()
        private let make: () -> (CaseBook, any Imitation)

        /// A provider that `make` makes.
        init(name: String, mount: String, make: @escaping () -> (CaseBook, any Imitation)) {
            (self.name, self.mount, self.make) = (name, mount, make)
        }

        /// The responses that can be asked for.
        var cases: CaseBook { made.0 }

        /// The provider.
        var imitation: any Imitation {
            get { made.1 }
            _modify { yield &made.1 }
        }
    }

    /// A server that does not listen yet.
    init(
        mailbox: Mailbox<Message>, imitations: [Mounted], rules: [SandboxRule], counts: SandboxCounts
    ) throws {
        self.mailbox = mailbox
        self.counts = counts
        self.imitations = imitations
        behaviours = Behaviours(rules: rules)
        loop = try EventLoop()
        try loop.watch(mailbox.descriptor, for: .readable, handler: self)
    }

    /// Starts to listen; the socket belongs to the server from here on, even on failure.
    func open(_ listener: ListenSocket) throws {
        let daemon: HTTPDaemon
        do {
            daemon = try HTTPDaemon(
                listener: listener,
                limits: HTTPDaemon.Limits(
                    connectionMemory: 32 << 10, connections: 1024, idleSeconds: 75,
                    request: RequestScanner.Limits(
                        target: 8 << 10, fieldBytes: 16 << 10, fieldCount: 100, head: 30 << 10,
                        fieldOverhead: 64, body: .max)),
                loop: loop, delegate: self)
        } catch {
            listener.closeUnused()
            throw error
        }
        self.daemon = daemon
        try loop.watch(daemon.listenDescriptor, for: .readable, handler: self)
    }

    /// Closes all connections and the listening socket.
    func close() {
        daemon?.stop()
        daemon = nil
    }

    /// Serves until it is told to stop.
    func run() {
        loop.bindToThread()
        while !isOver {
            loop.wait(atMost: patience)
            while let request = delayed.popDue(at: Self.now) { request.isDue() }
            accept()
            daemon?.run()
        }
        close()
    }

    /// Accepts clients; pauses when resources are exhausted.
    private func accept() {
        guard let daemon, daemon.listenDescriptor >= 0, Self.now >= acceptsFrom ?? .distantPast else {
            return
        }
        let acceptance = daemon.accept()
        if acceptance != .goesOn {
            if acceptsFrom == nil { loop.unwatch(daemon.listenDescriptor) }
            acceptsFrom = Self.now + Self.acceptPause
        } else if acceptsFrom != nil {
            acceptsFrom = nil
            try? loop.watch(daemon.listenDescriptor, for: .readable, handler: self)
        }
    }

    /// Whether the shutdown may end: all requests are answered, or its deadline has passed.
    private var isOver: Bool {
        guard let endsAt, delayed.isEmpty else { return false }
        return openRequests == 0 || Self.now >= endsAt
    }

    /// The longest wait for an event, in milliseconds; -1 for no limit.
    private var patience: Int32 {
        let times = [delayed.earliest, endsAt, acceptsFrom].compactMap { $0 }
        var patience = times.min().map {
            max(0, Self.now.duration(to: $0).wholeNanoseconds + 999_999) / 1_000_000
        }
        if let daemon = daemon?.timeoutMilliseconds { patience = min(patience ?? .max, Int64(daemon)) }
        return patience.map { Int32(clamping: $0) } ?? -1
    }

    private static var now: MonotonicTime { MonotonicTime(nanoseconds: SystemClock.monotonicNanoseconds) }

    // MARK: Requests

    /// The response to a complete request.
    func answer(
        method: String, target: String, fields: FieldBlock, body: [UInt8], isTooLarge: Bool
    ) -> ImitationResponse {
        let moment = Moment(monotonic: Self.now, wall: SystemClock.wallNanoseconds / 1_000_000)
        guard let index = index(of: target) else { return ownAnswer(target) }
        let mounted = imitations[index]
        var response: ImitationResponse
        if isTooLarge {
            response = type(of: mounted.imitation).tooLarge
        } else {
            var request = ImitationRequest(
                method, String(target.dropFirst(mounted.mount.count)), fields: fields, body: body, at: moment)
            do throws(Behaviours.Mistake) {
                let behaviour = try behaviours.behaviour(for: request, to: mounted.name)
                request.requested = mounted.cases.answer(to: behaviour)
                request.isUnasked = request.requested == nil
                response = mounted.imitation.answer(request)
                if let delay = behaviour.delay { response.delay = max(delay, response.delay ?? .zero) }
                response.abort = behaviour.abort
            } catch {
                response = .json(400, ["message": .string(error.message)])
            }
        }
        counts.add(mounted.name, isRefusal: response.isRefusal)
        return response
    }

    /// A response is sent, or will never be.
    func release(_ slots: [StrictLimits.Slot], of target: String) {
        guard let index = index(of: target) else { return }
        imitations[index].imitation.release(slots)
    }

    private func index(of target: String) -> Int? {
        imitations.firstIndex { Self.isBehind($0.mount, target) }
    }

    /// Delays the response to a request.
    func hold(_ request: SandboxRequest, for delay: Duration) {
        // During a shutdown, responses are not delayed.
        _ = delayed.insert(request, at: endsAt == nil ? Self.now + delay : .distantPast)
    }

    /// A request is over.
    func ended() { openRequests -= 1 }

    private static func isBehind(_ mount: String, _ target: String) -> Bool {
        guard target.hasPrefix(mount) else { return false }
        let next = target.utf8.dropFirst(mount.utf8.count).first
        return next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
    }

    /// The responses of the sandbox itself.
    private func ownAnswer(_ target: String) -> ImitationResponse {
        switch target.prefix(while: { $0 != "?" }) {
        case "/-/sandbox": return .json(200, .members(imitations.map { ($0.name, shown($0.name)) }))
        case CaseBook.listPath[...]:
            return .json(200, .members(imitations.map { ($0.name, $0.cases.list) }))
        default:
            let places = imitations.map { "\($0.name) is at \($0.mount)" }.joined(separator: ", ")
            return .json(404, ["message": .string("Nothing is imitated here: \(places).")])
        }
    }

    private func shown(_ profile: String) -> JSONValue {
        let counts = counts[profile]
        return ["requests": .integer(counts.requests), "refusals": .integer(counts.refusals)]
    }

    // MARK: ReadinessHandler

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        guard descriptor == mailbox.descriptor, !mailbox.takeAll().isEmpty, endsAt == nil else { return }
        endsAt = Self.now + Self.stopPatience
        if let daemon, daemon.listenDescriptor >= 0 {
            loop.unwatch(daemon.listenDescriptor)
            daemon.quiesce()
            acceptsFrom = nil
        }
        while let request = delayed.popDue(at: .distantFuture) { request.isDue() }
    }

    // MARK: HTTPDaemonDelegate

    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest {
        openRequests += 1
        return SandboxRequest(server: self, target: target.string)
    }

    func daemonIsReady(_ daemon: HTTPDaemon) {}

    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool) {}

    func daemon(_ daemon: HTTPDaemon, closes socket: Int32) {}

    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer {
        ClosingAnswer(status: 400, fields: FieldBlock(), body: Span(), isHead: false)
    }

    func daemon(_ daemon: HTTPDaemon, logs message: String) {}
}
