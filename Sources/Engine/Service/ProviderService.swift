internal import Core
internal import Locking
internal import Synchronization
internal import Wire

/// One provider as all workers use it: what was configured, made ready to be used without thinking.
final class ProviderService: Sendable {
    /// Its place in the metrics: that of all providers of its name, whatever configuration they are of.
    let index: Int
    private let metrics: ProxyMetrics
    let configuration: ProviderConfiguration
    let normalizer: ErrorNormalizer
    let pacer: Pacer
    /// The ledger of all instances; nil if this one counts for itself.
    let ledger: LedgerAccount?
    let guards: ProviderGuards
    let credentials: CredentialReader
    /// Hides the credential that Weir adds; nil if it adds none.
    let heldCredential: SecretRedactor?
    /// What a request weighs, and whose it is.
    let plan: PacingPlan
    /// The pacer's policy that the plan belongs to.
    let revision: UInt32
    let keys: LedgerKeyReader
    /// Makes keys that are the same in all instances; nil if this one counts for itself.
    let digest: LedgerDigest?
    /// What answers say of the provider's own count; `nil` if its profile names no field, or other
    /// instances send as well.
    let rateHeaders: RateHeaders?
    /// Whether the pacer must know when a response has ended.
    let countsConcurrency: Bool
    /// The name, as it stands in problems.
    let name: Text
    /// What stands before the rest of a path on its way to the provider.
    let pathPrefix: [UInt8]
    /// Makes references to the upstream lead to Weir; `nil` if they are to stay.
    let references: ReferenceRewriter?
    /// What stands before the rest of a path that leads here through the mount.
    let mountPrefix: [UInt8]
    /// Fields that a request gets unless it has them.
    let requestDefaults: [(name: [UInt8], value: [UInt8])]
    /// The value of `RateLimit-Policy`, or nothing without limits.
    let ratePolicy: [UInt8]
    private let windows: [PacingPolicy.Window]
    /// The names of the limits, quoted, in their order.
    let windowNames: [[UInt8]]
    /// Whether requests need slots, of which there may be none.
    let givesSlots: Bool
    /// The configured times, in nanoseconds.
    let timeouts: Timeouts
    private let strangeLimit = Atomic(0)
    /// When the pacer is told the time of day again, in nanoseconds; never if no limit asks for it.
    private let nextClockReading: Atomic<Int64>

    init(
        configuration: ProviderConfiguration, normalizer: ErrorNormalizer, pacing: Ledgers.Share,
        guards: ProviderGuards,
        metrics: ProxyMetrics
    ) {
        self.metrics = metrics
        index = metrics.open(configuration.name)
        self.configuration = configuration
        self.normalizer = normalizer
        (pacer, plan, revision) = (pacing.pacer, pacing.plan, pacing.revision)
        self.guards = guards
        givesSlots = !configuration.isPacingObserved && !plan.windows.isEmpty
        ledger = givesSlots ? pacing.ledger : nil
        let profile = normalizer.profile
        credentials = CredentialReader(
            places: profile.credentialPlaces, injected: configuration.credential?.value,
            injection: profile.credentialInjection,
            isShared: !plan.scopes.contains { $0.parts.contains(.credential) },
            digest: pacing.digest)
        heldCredential = configuration.credential.map {
            SecretRedactor(secrets: [Array($0.value.utf8)], findsSchemes: false)
        }
        digest = pacing.digest
        keys = LedgerKeyReader(
            scopes: plan.scopes, credentials: credentials, provider: pacing.key, digest: pacing.digest)
        // What other instances send is in the provider's count, and is not a stranger's.
        let hasCount = profile.rateFields != RateFields() && !pacing.hasOtherInstances
        let sizes = plan.windows.filter { $0.span != .concurrent }.map(\.requests)
        rateHeaders = hasCount ? RateHeaders(names: profile.rateFields, limits: sizes) : nil
        countsConcurrency = plan.windows.contains { $0.span == .concurrent }
        let needsClock = plan.windows.contains { $0.span == .day || $0.span == .month }
        nextClockReading = Atomic(needsClock ? 0 : .max)
        name = Text(configuration.name)
        pathPrefix = Array(configuration.upstream.pathPrefix.utf8)
        references =
            configuration.rewritesLocations
            ? ReferenceRewriter(
                upstream: configuration.upstream, hiding: credentials.hiddenParameters) : nil
        let mount = configuration.mount?.path ?? "/"
        mountPrefix = mount == "/" ? [] : Array(mount.utf8)
        requestDefaults = profile.requestDefaults.map { (Array($0.name.utf8), Array($0.value.utf8)) }
        windows = plan.windows
        ratePolicy = RateLimitFields.policy(windows, called: plan.names)
        windowNames = RateLimitFields.names(of: windows, called: plan.names).map { Array("\"\($0)\"".utf8) }
        timeouts = Timeouts(configuration.timeouts)
    }

    /// The last exchange of a configuration that is no more takes its provider along, and that its series.
    deinit { metrics.close(index) }

    /// The name of one of the pacer's limits, quoted.
    func limitName(_ limit: Int, _ window: PacingPolicy.Window) -> [UInt8] {
        if limit < windows.count, windows[limit] == window { return windowNames[limit] }
        if windows.count == 1 { return windowNames[0] }
        // The limits have changed under this exchange: the name that they would give it.
        return Array("\"\(RateLimitFields.names(of: windows + [window])[windows.count])\"".utf8)
    }

    /// The name that the configuration or the profile gives to the limit that a request would exceed.
    func limitName(of refusal: Refusal) -> String? {
        guard refusal.limit < windows.count, windows[refusal.limit] == refusal.window else { return nil }
        return plan.names[refusal.limit]
    }

    /// The names of limits as they are in force, which may be newer than this configuration.
    func limitNames(of windows: [PacingPolicy.Window]) -> [String] {
        RateLimitFields.names(of: windows, called: windows == self.windows ? plan.names : [])
    }

    /// The value of `RateLimit-Policy` behind a provider's own.
    func ratePolicy(_ naming: RateLimitFields.Naming) -> [UInt8] {
        naming == .own ? ratePolicy : RateLimitFields.policy(windows, called: plan.names, naming: naming)
    }

    /// How the scope of a limit is called in problems.
    func scope(of window: PacingPolicy.Window?) -> LimitScope {
        let scope = window?.scope ?? 0
        // Limits that are newer than this may have scopes that it knows nothing of.
        return plan.scopes[scope < plan.scopes.count ? scope : 0]
    }

    /// How many requests of this instance have its own slots, and wait for those of all instances.
    var waitingForLedger: Int { ledger?.waiting.load(ordering: .relaxed) ?? 0 }

    /// Tells the pacer the time of day once a minute, if it needs it: a clock may be set.
    func keepClock(at now: MonotonicTime) {
        guard now.nanoseconds >= nextClockReading.load(ordering: .relaxed) else { return }
        nextClockReading.store(now.nanoseconds + 60_000_000_000, ordering: .relaxed)
        pacer.setWallClock(offset: Ledgers.wallClockOffset)
    }

    /// Whether it is news that the provider speaks of a limit that none of ours is.
    func isNews(strangeLimit limit: Int) -> Bool {
        strangeLimit.exchange(limit, ordering: .relaxed) != limit
    }

    /// How long an exchange may wait, in nanoseconds: a `Duration` has 128 bits, which cost on the data path.
    ///
    /// ``never`` for what may take for ever.
    struct Timeouts: Sendable {
        static let never = Int64.max

        var response: Int64
        var idle: Int64
        var errorBody: Int64
        var total: Int64?

        init(_ configuration: TimeoutConfiguration) {
            response = configuration.response?.wholeNanoseconds ?? Self.never
            idle = configuration.idle?.wholeNanoseconds ?? Self.never
            errorBody = configuration.errorBody.wholeNanoseconds
            total = configuration.total?.wholeNanoseconds
        }
    }
}

/// What keeps requests from one provider, its limits aside: shared by all workers.
///
/// It outlives a reload that changes nothing about its provider, and begins anew after any other.
final class ProviderGuards: Sendable {
    /// Whether refusals of a credential are counted at all.
    let quarantinesCredentials: Bool
    /// Whether the quarantine remembers any credential: as long as it does not, requests take no lock.
    private let remembersCredentials = Atomic(false)
    private let quarantine = Lock(CredentialQuarantine())
    /// Whether failures are counted at all.
    let hasCircuit: Bool
    private let circuit: Lock<CircuitBreaker>
    private let hasRetries: Bool
    private let retries: Lock<RetryBudget>

    init(_ provider: ProviderConfiguration, at now: MonotonicTime) {
        quarantinesCredentials = provider.quarantinesCredentials
        hasCircuit = provider.circuitBreaker != nil
        circuit = Lock(CircuitBreaker(provider.circuitBreaker ?? CircuitBreaker.Policy()))
        hasRetries = provider.retries.maximum > 0
        retries = Lock(RetryBudget(percent: provider.retries.budgetPercent, at: now))
    }

    // MARK: Circuit

    /// Whether a request may be sent to a provider that may have failed too often; asked where it ``hasCircuit``.
    func admitToCircuit(at now: MonotonicTime) -> CircuitBreaker.Admission {
        circuit.withLock { $0.admit(at: now) }
    }

    /// Takes what a request came to.
    func recordInCircuit(isFailure: Bool, isProbe: Bool, at now: MonotonicTime) {
        circuit.withLock { $0.record(isFailure: isFailure, isProbe: isProbe, at: now) }
    }

    /// Takes back a probe that came to nothing that would tell.
    func returnCircuitProbe() { circuit.withLock { $0.returnProbe() } }

    // MARK: Retries

    /// A request is sent for the first time.
    func requestSent() {
        if hasRetries { retries.withLock { $0.requestSent() } }
    }

    /// Whether there may be another retry now: it counts as made.
    func takeRetry(at now: MonotonicTime) -> Bool {
        hasRetries && retries.withLock { $0.takeRetry(at: now) }
    }

    // MARK: Credentials

    /// Whether there may be something to ask ``admit(credential:at:)`` for.
    var hasRefusedCredentials: Bool { remembersCredentials.load(ordering: .relaxed) }

    /// Whether a request with this credential, known by its hash, may be sent.
    func admit(credential: UInt64, at now: MonotonicTime) -> CredentialQuarantine.Admission {
        quarantine.withLock { $0.admit(credential, at: now) }
    }

    /// Takes what the provider's answer says of the credential.
    func judge(credential: UInt64, _ verdict: CredentialQuarantine.Verdict, at now: MonotonicTime) {
        quarantine.withLock { quarantine in
            quarantine.judge(credential, verdict, at: now)
            remembersCredentials.store(!quarantine.isEmpty, ordering: .relaxed)
        }
    }

    /// Takes back a probe that was not sent.
    func returnProbe(ofCredential credential: UInt64) {
        quarantine.withLock { $0.returnProbe(credential) }
    }

    // MARK: Reading

    /// What metrics and pages tell.
    func gauges(at now: MonotonicTime) -> GuardGauges {
        GuardGauges(
            quarantinedCredentials: quarantine.withLock { $0.count },
            circuit: circuit.withLock { $0.state(at: now) })
    }
}
