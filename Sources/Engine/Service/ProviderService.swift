internal import Core
internal import Locking
internal import Loop
internal import Synchronization
internal import Wire

/// One provider as all workers use it: its configuration, precomputed for the data path.
final class ProviderService: Sendable {
    /// Its row in the metrics, which belongs to all providers of this name in any configuration.
    let index: Int
    private let metrics: ProxyMetrics
    let configuration: ProviderConfiguration
    let normalizer: ErrorNormalizer
    let pacer: Pacer
    /// The shared ledger; nil if this instance counts for itself.
    let ledger: LedgerAccount?
    let guards: ProviderGuards
    let credentials: CredentialReader
    /// Redacts the credential that Weir adds; nil if it adds none.
    let heldCredential: SecretRedactor?
    /// The place of that credential among those of the provider, from 0.
    let position: Int
    /// The same provider with each of its other credentials; they share everything but the credential and its ledger.
    let others: [ProviderService]
    /// The file with that credential, if it may change; nil in most configurations.
    let credentialFile: CredentialFile?
    /// Computes the cost and the keys of a request.
    let plan: PacingPlan
    /// The version of the pacer's policy to which the plan belongs.
    let revision: UInt32
    let keys: LedgerKeyReader
    /// Computes keys that are the same in all instances; nil if this instance counts for itself.
    let digest: LedgerDigest?
    /// Reads the provider's own count from responses; `nil` if its profile names no field, or if other instances send
    /// requests as well.
    let rateHeaders: RateHeaders?
    /// Whether requests are paced by what responses say.
    let learns: Bool
    /// How many instances use the same keys.
    let share: Int
    /// Whether the pacer must be notified when a response ends.
    let countsConcurrency: Bool
    /// Whether the `Date` of responses matters to the pacer.
    let readsProviderClock: Bool
    /// The name, as it appears in problems.
    let name: Text
    /// The prefix of a path on its way to the provider.
    let pathPrefix: [UInt8]
    /// Rewrites references to the upstream so that they lead to Weir; `nil` if this is off.
    let references: ReferenceRewriter?
    /// The prefix of a path that leads to this provider through its mount.
    let mountPrefix: [UInt8]
    /// Fields that are added to a request that does not have them.
    let requestDefaults: [(name: [UInt8], value: [UInt8])]
    /// The value of `RateLimit-Policy`; empty without limits.
    let ratePolicy: [UInt8]
    private let windows: [PacingPolicy.Window]
    /// The quoted names of the limits, in order.
    let windowNames: [[UInt8]]
    /// Whether requests need slots.
    let givesSlots: Bool
    /// The configured timeouts, in nanoseconds.
    let timeouts: Timeouts
    private let strangeLimit = Atomic(0)
    /// When the pacer must be told the time of day again, in nanoseconds; never if no limit needs it.
    private let nextClockReading: Atomic<Int64>

    init(
        configuration: ProviderConfiguration, normalizer: ErrorNormalizer, pacing: Ledgers.Share,
        guards: ProviderGuards,
        metrics: ProxyMetrics, position: Int = 0, others: [ProviderService] = []
    ) {
        self.metrics = metrics
        (self.position, self.others) = (position, others)
        let credentials = configuration.credentials
        let credential = position < credentials.count ? credentials[position] : nil
        index = metrics.open(configuration.name)
        self.configuration = configuration
        self.normalizer = normalizer
        (pacer, plan, revision) = (pacing.pacer, pacing.plan, pacing.revision)
        self.guards = guards
        givesSlots = !configuration.isPacingObserved && !plan.windows.isEmpty
        ledger = givesSlots ? pacing.ledger : nil
        let profile = normalizer.profile
        self.credentials = CredentialReader(
            places: profile.credentialPlaces, injected: credential?.value,
            injections: profile.credentialInjections, user: profile.credentialUser,
            isShared: !plan.scopes.contains { $0.parts.contains(.credential) },
            digest: pacing.digest)
        heldCredential = credential.map {
            SecretRedactor(secrets: [Array($0.value.utf8)], findsSchemes: false)
        }
        credentialFile = configuration.credentialFile.map { CredentialFile($0) }
        digest = pacing.digest
        keys = LedgerKeyReader(
            scopes: plan.scopes, credentials: self.credentials, provider: pacing.key, digest: pacing.digest)
        // The provider's count includes requests of other instances, which are not foreign.
        let hasCount = profile.rateFields != RateFields() && !pacing.hasOtherInstances
        let sizes = plan.windows.filter { $0.span != .concurrent }.map(\.requests)
        learns = plan.learns && !configuration.isPacingObserved && profile.rateFields != RateFields()
        share = pacing.instances
        rateHeaders = hasCount || learns ? RateHeaders(names: profile.rateFields, limits: sizes) : nil
        countsConcurrency = plan.windows.contains { $0.span == .concurrent }
        readsProviderClock = plan.windows.contains { if case .aligned = $0.span { true } else { false } }
        let needsClock = plan.windows.contains { $0.span == .day || $0.span == .month }
        nextClockReading = Atomic(needsClock ? 0 : .max)
        name = Text(configuration.name)
        pathPrefix = Array(configuration.upstream.pathPrefix.utf8)
        references =
            configuration.rewritesLocations
            ? ReferenceRewriter(
                upstream: configuration.upstream, hiding: self.credentials.hiddenParameters) : nil
        let mount = configuration.mount?.path ?? "/"
        mountPrefix = mount == "/" ? [] : Array(mount.utf8)
        requestDefaults = profile.requestDefaults.map { (Array($0.name.utf8), Array($0.value.utf8)) }
        windows = plan.windows
        ratePolicy = RateLimitFields.policy(windows, called: plan.names)
        windowNames = RateLimitFields.names(of: windows, called: plan.names).map { Array("\"\($0)\"".utf8) }
        timeouts = Timeouts(configuration.timeouts)
    }

    /// The last exchange of a replaced configuration releases its provider, and that its series.
    deinit { metrics.close(index) }

    /// The quoted name of one of the pacer's limits.
    func limitName(_ limit: Int, _ window: PacingPolicy.Window) -> [UInt8] {
        if limit < windows.count, windows[limit] == window { return windowNames[limit] }
        if windows.count == 1 { return windowNames[0] }
        // The limits have changed since this exchange began: compute the name under the new limits.
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

    /// The value of `RateLimit-Policy` to append to a provider's own.
    func ratePolicy(_ naming: RateLimitFields.Naming) -> [UInt8] {
        naming == .own ? ratePolicy : RateLimitFields.policy(windows, called: plan.names, naming: naming)
    }

    /// What a response says of the provider's count where limits are learned; `nil` elsewhere.
    func learned(_ fields: FieldBlock) -> RateReport? {
        guard learns else { return nil }
        return rateHeaders?.report(fields, share: share) { SystemClock.wallNanoseconds / 1_000_000_000 }
    }

    /// What a response says of the count of a limit of ours; `nil` if nothing.
    func observation(_ fields: FieldBlock) -> RateObservation? {
        learns ? nil : rateHeaders?.observation(fields)
    }

    /// How problems name the scope of a limit.
    func scope(of window: PacingPolicy.Window?) -> LimitScope {
        let scope = window?.scope ?? 0
        // Limits that are newer than this object may have scopes that it does not know.
        return plan.scopes[scope < plan.scopes.count ? scope : 0]
    }

    /// How many requests of this instance have a local slot and wait for the shared ledger.
    var waitingForLedger: Int { ledger?.waiting.load(ordering: .relaxed) ?? 0 }

    /// Tells the pacer the time of day once a minute if it needs it, since a clock may be set.
    func keepClock(at now: MonotonicTime) {
        guard now.nanoseconds >= nextClockReading.load(ordering: .relaxed) else { return }
        nextClockReading.store(now.nanoseconds + 60_000_000_000, ordering: .relaxed)
        pacer.setWallClock(offset: Ledgers.wallClockOffset)
    }

    /// Whether the provider reports an unknown limit for the first time.
    func isNewlyReported(strangeLimit limit: Int) -> Bool {
        strangeLimit.exchange(limit, ordering: .relaxed) != limit
    }

    /// The timeouts of an exchange, in nanoseconds: a `Duration` has 128 bits, which is expensive on the data path.
    ///
    /// ``never`` if there is no time limit.
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

/// The circuit breaker, quarantine and retry budget of one provider, shared by all workers.
///
/// It survives a reload that does not change its provider, and is created anew after any other reload.
final class ProviderGuards: Sendable {
    /// Whether rejected credentials are counted at all.
    let quarantinesCredentials: Bool
    /// Whether the quarantine remembers any credential; if not, requests take no lock.
    private let remembersCredentials = Atomic(false)
    private let quarantine = Lock(CredentialQuarantine())
    /// The credentials that Weir adds.
    let held: HeldCredentials
    /// Whether failures are counted at all.
    let hasCircuit: Bool
    private let circuit: Lock<CircuitBreaker>
    private let hasRetries: Bool
    private let retries: Lock<RetryBudget>

    init(_ provider: ProviderConfiguration, at now: MonotonicTime) {
        quarantinesCredentials = provider.quarantinesCredentials
        held = HeldCredentials(provider.credentials)
        hasCircuit = provider.circuitBreaker != nil
        circuit = Lock(CircuitBreaker(provider.circuitBreaker ?? CircuitBreaker.Policy()))
        hasRetries = provider.retries.maximum > 0
        retries = Lock(RetryBudget(percent: provider.retries.budgetPercent, at: now))
    }

    // MARK: Circuit

    /// Whether a request may be sent to a provider that may have failed too often; called only if it ``hasCircuit``.
    func admitToCircuit(at now: MonotonicTime) -> CircuitBreaker.Admission {
        circuit.withLock { $0.admit(at: now) }
    }

    /// Records the result of a request.
    func recordInCircuit(isFailure: Bool, isProbe: Bool, at now: MonotonicTime) {
        circuit.withLock { $0.record(isFailure: isFailure, isProbe: isProbe, at: now) }
    }

    /// Returns a probe whose result says nothing about the provider.
    func returnCircuitProbe() { circuit.withLock { $0.returnProbe() } }

    // MARK: Retries

    /// A request is sent for the first time.
    func requestSent() {
        if hasRetries { retries.withLock { $0.requestSent() } }
    }

    /// Takes a retry from the budget, if there is one.
    func takeRetry(at now: MonotonicTime) -> Bool {
        hasRetries && retries.withLock { $0.takeRetry(at: now) }
    }

    // MARK: Credentials

    /// Whether ``admit(credential:at:)`` needs to be called.
    var hasRefusedCredentials: Bool { remembersCredentials.load(ordering: .relaxed) }

    /// Whether a request with this credential, identified by its hash, may be sent.
    func admit(credential: UInt64, at now: MonotonicTime) -> CredentialQuarantine.Admission {
        quarantine.withLock { $0.admit(credential, at: now) }
    }

    /// Records what the provider's response says about the credential.
    ///
    /// - Returns: whether it is quarantined from now on.
    func judge(credential: UInt64, _ verdict: CredentialQuarantine.Verdict, at now: MonotonicTime) -> Bool {
        quarantine.withLock { quarantine in
            quarantine.judge(credential, verdict, at: now)
            remembersCredentials.store(!quarantine.isEmpty, ordering: .relaxed)
            return quarantine.holds(credential)
        }
    }

    /// Returns a probe that was not sent.
    func returnProbe(ofCredential credential: UInt64) {
        quarantine.withLock { $0.returnProbe(credential) }
    }

    // MARK: Reading

    /// The values for metrics and pages.
    func gauges(at now: MonotonicTime) -> GuardGauges {
        GuardGauges(
            quarantinedCredentials: quarantine.withLock { $0.count },
            circuit: circuit.withLock { $0.state(at: now) }, credentials: held.readings)
    }
}
