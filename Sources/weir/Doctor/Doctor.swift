internal import Core
internal import Engine
internal import Locking
internal import Loop
internal import Synchronization

/// Gathers the facts about the set-up, and returns what `Core/Diagnosis` finds in them.
struct Doctor {
    /// How many providers are examined at the same time.
    private static let threads = 8
    /// How long a lookup, and the examination of the ledger, may take.
    private static let patience = Duration.seconds(10)

    /// Providers with several keys are there once for each key.
    let loaded: LoadedConfiguration
    /// The configuration file.
    let path: String?
    let sources: SourceFiles
    let isOffline: Bool
    let progress: DoctorProgress

    private var configuration: ProxyConfiguration { loaded.configuration }
    /// Whether each provider is a further key of the one before it: its way to the provider is the same.
    private let isFurtherKey: [Bool]

    init(
        loaded: LoadedConfiguration, path: String?, sources: SourceFiles, isOffline: Bool,
        progress: DoctorProgress
    ) {
        (self.loaded, isFurtherKey) = loaded.withEachKey
        (self.path, self.sources, self.isOffline, self.progress) = (path, sources, isOffline, progress)
    }

    private static var now: Int64 { SystemClock.wallNanoseconds / 1_000_000_000 }

    /// All findings: of each provider, of the ledger, of the process.
    func examine() -> [Finding] {
        defer { progress.end() }
        var findings = providerFindings()
        if let ledger = configuration.ledger {
            progress.show("checking the ledger")
            findings += ledgerFindings(ledger)
        }
        progress.show("checking this machine")
        let facts = ProcessExamination(configuration: configuration, path: path, sources: sources).facts
        findings += ProcessDiagnosis(configuration, facts).findings
        findings +=
            ConfigurationDiagnosis(
                configuration, certificates: OwnCertificates.read(configuration), at: Self.now
            ).certificateFindings
        return findings
    }

    // MARK: Providers

    private func providerFindings() -> [Finding] {
        let sender = isOffline ? nil : probeSender()
        defer { if case .success(let sender)? = sender { sender.stop() } }
        let providers = configuration.providers
        let found = Lock([[Finding]](repeating: [], count: providers.count))
        let next = Atomic(0)
        let count = min(Self.threads, providers.count)
        func work() {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < providers.count else { return }
                progress.show("checking \(providers[index].name)")
                let facts = facts(of: index, sender)
                let findings = ProviderDiagnosis(providers[index], facts).findings
                found.withLock { $0[index] = findings }
            }
        }
        // Without threads, this one does it alone.
        withoutActuallyEscaping(work) { work in
            let shared = Work(run: work)
            let threads = (1..<max(1, count)).compactMap { _ in
                try? LoopThread(name: "weir-doctor") { shared.run() }
            }
            work()
            for thread in threads { thread.join() }
        }
        return found.withLock { $0 }.flatMap { $0 }
    }

    /// Passed to threads that are joined before what it captures ends; that is only read, locked or atomic.
    private struct Work: @unchecked Sendable {
        let run: () -> Void
    }

    /// A Weir that sends the probes, if any provider needs it.
    private func probeSender() -> Result<ProbeSender, ProbeFailure>? {
        let isNeeded = configuration.providers.indices.contains { isProbed($0) }
        guard isNeeded else { return nil }
        do throws(ProbeFailure) {
            return .success(try ProbeSender(loaded))
        } catch {
            return .failure(error)
        }
    }

    private func isProbed(_ index: Int) -> Bool {
        let provider = configuration.providers[index]
        return provider.credential != nil && (provider.account == nil || isFurtherKey[index])
            && loaded.normalizers[index].profile.probe != nil
            && !CredentialPlaceholder.matches(provider.credential?.value ?? "")
    }

    private func facts(of index: Int, _ sender: Result<ProbeSender, ProbeFailure>?) -> ProviderFacts {
        let provider = configuration.providers[index]
        var facts = ProviderFacts(now: Self.now)
        if provider.credential == nil { facts.probe = .noCredential }
        guard !isOffline else { return facts }
        if isFurtherKey[index] { return probedFacts(facts, of: index, sender) }
        let host = provider.egressProxy.map(\.host) ?? provider.upstream.host
        if IPAddress(parsing: host) == nil {
            facts.lookup = HostLookup.run(host, within: Self.patience)
        }
        facts.connection = ConnectionCheck.run(provider)
        return probedFacts(facts, of: index, sender)
    }

    /// The facts with those of the probe.
    private func probedFacts(
        _ known: ProviderFacts, of index: Int, _ sender: Result<ProbeSender, ProbeFailure>?
    ) -> ProviderFacts {
        let provider = configuration.providers[index]
        var facts = known
        guard provider.credential != nil else { return facts }
        guard let probe = loaded.normalizers[index].profile.probe,
            provider.account == nil || isFurtherKey[index]
        else {
            facts.probe = .noProbe
            return facts
        }
        guard facts.connection?.fault == nil else {
            facts.probe = .noConnection
            return facts
        }
        guard isProbed(index) else { return facts }
        switch sender {
        case .success(let sender)?: facts.probe = sender.send(probe, to: index)
        case .failure(let failure)?: facts.probe = .failed("\(failure)")
        case nil: break
        }
        return facts
    }

    // MARK: The ledger

    private func ledgerFindings(_ address: LedgerAddress) -> [Finding] {
        guard !isOffline else {
            return [Finding(.skipped, .reachable, of: Finding.ledger, "not checked offline")]
        }
        var names: [String] = []
        for provider in configuration.providers {
            let name = LedgerCheck.ledgerName(of: provider)
            if !names.contains(name) { names.append(name) }
        }
        let facts = LedgerCheck.run(address, ledgers: names, within: Self.patience)
        return LedgerDiagnosis(address, replicas: configuration.replicas, facts).findings
    }
}

extension LoadedConfiguration {
    /// The same with one provider for each key of a provider, and which of them are further keys.
    ///
    /// They count in the ledgers of the first.
    fileprivate var withEachKey: (loaded: LoadedConfiguration, isFurtherKey: [Bool]) {
        var result = self
        var isFurtherKey: [Bool] = []
        (result.configuration.providers, result.normalizers) = ([], [])
        for (provider, normalizer) in zip(configuration.providers, normalizers) {
            var own = provider
            own.otherCredentials = []
            let keys: [Secret?] = provider.credentials.isEmpty ? [nil] : provider.credentials
            for (place, key) in keys.enumerated() {
                if place > 0 {
                    // Never a provider's own name: those have no blanks.
                    own.name = "\(provider.name) key \(place + 1)"
                    own.account = provider.ledgerName
                    (own.mount, own.listen, own.credentialFile) = (nil, nil, nil)
                }
                own.credential = key
                result.configuration.providers.append(own)
                result.normalizers.append(normalizer)
                isFurtherKey.append(place > 0)
            }
        }
        return (result, isFurtherKey)
    }
}
