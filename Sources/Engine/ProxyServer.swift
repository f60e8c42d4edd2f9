public import Core
internal import Downstream
internal import Glibc
internal import Locking
public import Logging
internal import Loop
internal import Upstream

/// Weir itself: listens, and serves with one worker per core until it is drained.
public final class ProxyServer: Sendable {
    /// What a server needs besides its configuration.
    public struct Environment: Sendable {
        /// The version and the libraries', for `/metrics`.
        public var build: BuildInfo
        /// The JSON Schema of the problem, served at `/-/schema/problem.json`.
        public var problemSchema: String
        /// Where exchanges and failures are logged.
        public var logger: Logger
        /// How many lines the log has lost.
        public var droppedLogLines: @Sendable () -> UInt64

        /// An environment.
        public init(
            build: BuildInfo, problemSchema: String, logger: Logger,
            droppedLogLines: @escaping @Sendable () -> UInt64 = { 0 }
        ) {
            self.build = build
            self.problemSchema = problemSchema
            self.logger = logger
            self.droppedLogLines = droppedLogLines
        }
    }

    /// Why a server could not be started: an address that is taken, or a resource that is used up.
    public struct StartError: Error, CustomStringConvertible {
        /// One line for a user.
        public var description: String
    }

    /// Hands a worker to its thread: it is made here, so that what fails is known before anything is served.
    private struct Handover: @unchecked Sendable {
        let worker: Worker
    }

    /// What changes when a configuration is replaced.
    struct State {
        var service: ProxyService
        var ledgers: Ledgers
    }

    let instance: ProxyInstance
    let started: ProxyConfiguration
    let state: Lock<State>
    let mailboxes: [Mailbox<WorkerMessage>]
    private let threads: [LoopThread]
    private let listeners: ListenerPlan
    /// The address that providers with mounts are reached at; with the port that the system chose if 0 was configured.
    public let address: String
    /// The address of the admin paths, if they have one of their own.
    public let adminAddress: String?
    /// The addresses of the providers that have one of their own, by provider.
    public let providerAddresses: [(provider: String, address: String)]

    /// The versions of the C libraries that run.
    public static var libraryVersions: (libcurl: String, libmicrohttpd: String) {
        (CurlLibrary.version, HTTPDaemon.version)
    }

    /// Listens and serves.
    ///
    /// - Parameters:
    ///   - configuration: see the README.
    ///   - normalizers: one for each provider, in the same order.
    /// - Throws: ``StartError``
    public init(
        configuration: ProxyConfiguration, normalizers: [ErrorNormalizer], environment: Environment
    ) throws(StartError) {
        // Not every call can be told to raise none: OpenSSL's cannot.
        signal(SIGPIPE, SIG_IGN)
        Self.raiseFileLimit()
        CurlLibrary.initialise()
        let count = configuration.workers ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        instance = ProxyInstance(
            environment: environment, workers: count, pseudonym: Self.makePseudonym(),
            startedWallNanoseconds: SystemClock.wallNanoseconds)
        started = configuration
        let identities: ListenerIdentities
        do {
            identities = try ListenerIdentities(configuration)
        } catch {
            throw StartError(description: "a certificate cannot be used: \(error)")
        }
        var ledgers = Ledgers()
        let service = ProxyService(
            configuration: configuration, normalizers: normalizers,
            pacing: ledgers.shares(for: configuration, normalizers: normalizers, at: Worker.clock()).shares,
            identities: identities, instance: instance)
        state = Lock(State(service: service, ledgers: ledgers))
        var files: ListenerPlan?
        do {
            mailboxes = try (0..<count).map { _ in try Mailbox<WorkerMessage>() }
            let plan = try ListenerPlan(configuration, workers: count)
            listeners = plan
            files = plan
            address = plan.main
            adminAddress = plan.admin
            providerAddresses = plan.providers
            let workers = try (0..<count).map { [mailboxes] index in
                try Worker(
                    index: index, service: service, mailboxes: mailboxes, sockets: plan.sockets[index])
            }
            threads = try workers.enumerated().map { index, worker in
                let handover = Handover(worker: worker)
                return try LoopThread(name: "weir-\(index)") { handover.worker.run() }
            }
        } catch {
            files?.removeFiles()
            throw StartError(description: "\(error)")
        }
    }

    /// Stops accepting, finishes what is in flight within the configured grace period, answers what waits with `shutting_down`.
    public func drain() {
        instance.startDraining()
        let end = Worker.clock() + state.withLock { $0.service.configuration.drain }
        for mailbox in mailboxes { mailbox.post(.drain(until: end)) }
    }

    /// Removes the files of Unix domain sockets that are listened on still: for an end at once, in the middle of a drain.
    public func removeSocketFiles() { listeners.removeFiles() }

    /// Waits until all workers have ended; once, after ``drain()``.
    public func join() {
        for thread in threads { thread.join() }
    }

    /// A file descriptor serves a client, another one its provider: the system's soft limit is rarely meant for a proxy.
    private static func raiseFileLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(resource, &limit)
    }

    private static func makePseudonym() -> String {
        let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        return "weir-" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
