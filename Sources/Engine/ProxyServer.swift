public import Core
internal import Downstream
internal import Glibc
internal import Locking
public import Logging
internal import Loop
internal import Upstream

/// The server: listens, and serves with one worker per core until it is drained.
public final class ProxyServer: Sendable {
    /// What a server needs in addition to its configuration.
    public struct Environment: Sendable {
        /// The versions of Weir and its libraries, for `/metrics`.
        public var build: BuildInfo
        /// The JSON Schema of the problem, served at `/-/schema/problem.json`.
        public var problemSchema: String
        /// The log for exchanges and failures.
        public var logger: Logger
        /// Returns the number of dropped log lines.
        public var droppedLogLines: @Sendable () -> UInt64
        /// What admin requests can change of the program; `nil` if nothing can be changed.
        public var control: ProcessControl?

        /// Creates an environment.
        public init(
            build: BuildInfo, problemSchema: String, logger: Logger,
            droppedLogLines: @escaping @Sendable () -> UInt64 = { 0 }, control: ProcessControl? = nil
        ) {
            self.control = control
            self.build = build
            self.problemSchema = problemSchema
            self.logger = logger
            self.droppedLogLines = droppedLogLines
        }
    }

    /// Why a server could not be started: an address is in use, or a resource is exhausted.
    public struct StartError: Error, CustomStringConvertible {
        /// One line for the user.
        public var description: String
    }

    /// Passes a worker to its thread: the worker is created here, so that failures are known before anything is
    /// served.
    private struct Handover: @unchecked Sendable {
        let worker: Worker
    }

    /// The state that a reload replaces.
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
    /// The address for providers with mounts; with the port that the system chose if 0 was configured.
    public let address: String
    /// The address of the admin paths, if they have one of their own.
    public let adminAddress: String?
    /// The addresses of providers with their own address, by provider.
    public let providerAddresses: [(provider: String, address: String)]

    /// The versions of the loaded C libraries.
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
        // Not every write can be told not to raise SIGPIPE: OpenSSL's cannot.
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
        let traces: TraceExporter?
        do throws(SystemError) {
            traces = try instance.traceExporter(configuration.tracing)
        } catch {
            throw StartError(description: "\(error)")
        }
        var ledgers = Ledgers()
        let service = ProxyService(
            configuration: configuration, normalizers: normalizers,
            pacing: ledgers.shares(for: configuration, normalizers: normalizers, at: Worker.clock()).shares,
            identities: identities, traces: traces, instance: instance)
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
            traces?.finish(by: .distantPast)
            throw StartError(description: "\(error)")
        }
        instance.credentialChange.withLock { change in
            change = { [weak self] file, credential in self?.use(credential, from: file) }
        }
    }

    /// Stops accepting, finishes exchanges in flight within the configured grace period, and rejects waiting requests
    /// with `shutting_down`.
    public func drain() {
        instance.startDraining()
        let end = Worker.clock() + state.withLock { $0.service.configuration.drain }
        for mailbox in mailboxes { mailbox.post(.drain(until: end)) }
    }

    /// Removes the files of open Unix domain sockets, for an immediate exit during a drain.
    public func removeSocketFiles() { listeners.removeFiles() }

    /// How long spans may be exported at the end.
    private static let lastExport = Duration.seconds(2)

    /// Waits until all workers have ended, and what they have traced is exported; to be called once, after ``drain()``.
    public func join() {
        for thread in threads { thread.join() }
        let traces = state.withLock { $0.service.traces }
        traces?.finish(by: Worker.clock() + Self.lastExport)
        traces?.join()
    }

    /// Raises the soft limit on file descriptors, which is rarely meant for a proxy that needs two descriptors per
    /// exchange.
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
