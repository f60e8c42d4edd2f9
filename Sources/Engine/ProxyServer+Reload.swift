public import Core
internal import Downstream
internal import Locking
internal import Logging
internal import Loop

/// What a reload has changed.
public struct ConfigurationChange: Hashable, Sendable {
    /// New providers.
    public var added: [String] = []
    /// Removed providers.
    public var removed: [String] = []
    /// Providers with changed settings or a changed profile.
    public var changed: [String] = []
    /// Changed keys that take effect only after a restart.
    public var needsRestart: [String] = []
}

extension ProxyServer {
    /// Uses another configuration for new requests; exchanges in flight finish under the old one.
    ///
    /// Each worker switches at once, independently of the others. Ledgers and connections are kept if the new
    /// configuration can use them. Does nothing while the server drains.
    ///
    /// - Parameters:
    ///   - configuration: settings that cannot change while the server runs are ignored.
    ///   - normalizers: one for each provider, in the same order.
    public func reload(
        _ configuration: ProxyConfiguration, normalizers: [ErrorNormalizer]
    ) -> ConfigurationChange {
        state.withLock { state in
            let former = state.service
            var configuration = configuration
            var change = ConfigurationChange()
            change.needsRestart = configuration.keepWhatNeedsRestart(
                started: started, running: former.configuration)
            guard !instance.isDraining else { return change }
            let (shares, wakes) = state.ledgers.shares(
                for: configuration, normalizers: normalizers, at: Worker.clock())
            let service = ProxyService(
                configuration: configuration, normalizers: normalizers, pacing: shares,
                identities: identities(of: configuration, after: former.identities),
                traces: traces(of: configuration, after: former.traces), instance: instance,
                former: former)
            state.service = service
            for mailbox in mailboxes { mailbox.post(.adopt(service)) }
            for (pacer, wake) in wakes { mailboxes[0].post(.wake(wake, of: pacer)) }
            change.compare(service.providers, with: former.providers)
            instance.reloads.withLock { [change] in
                $0.succeed(at: SystemClock.wallNanoseconds, needsRestart: change.needsRestart)
            }
            return change
        }
    }

    /// Spans of exchanges that began earlier may come until the workers have changed over: the former exporter ends after some time.
    private func traces(
        of configuration: ProxyConfiguration, after former: TraceExporter?
    ) -> TraceExporter? {
        var next = former
        do throws(SystemError) {
            next = try instance.traceExporter(configuration.tracing, after: former)
        } catch {
            instance.logger.error("traces cannot be exported", metadata: ["reason": "\(error)"])
        }
        if let former, next !== former { former.retire(at: Worker.clock() + .seconds(10)) }
        return next
    }

    /// Uses another credential from a file for new requests, as a reload would.
    ///
    /// Called by the worker that has found it. The guards of its providers begin anew: whatever was known of the former credential
    /// says nothing about this one.
    ///
    /// - Returns: the configuration that has it; nil while the server drains.
    func use(_ credential: Secret, from file: String) -> ProxyService? {
        state.withLock { state in
            let former = state.service
            guard !instance.isDraining else { return nil }
            var configuration = former.configuration
            var changed: [String] = []
            for index in configuration.providers.indices
            where configuration.providers[index].credentialFile == file
                && configuration.providers[index].credential != credential
            {
                configuration.providers[index].credential = credential
                changed.append(configuration.providers[index].name)
            }
            // Another worker was faster.
            guard !changed.isEmpty else { return former }
            let normalizers = former.providers.map(\.normalizer)
            let (shares, wakes) = state.ledgers.shares(
                for: configuration, normalizers: normalizers, at: Worker.clock())
            let service = ProxyService(
                configuration: configuration, normalizers: normalizers, pacing: shares,
                identities: former.identities, traces: former.traces, instance: instance, former: former)
            state.service = service
            for mailbox in mailboxes { mailbox.post(.adopt(service)) }
            for (pacer, wake) in wakes { mailboxes[0].post(.wake(wake, of: pacer)) }
            instance.logger.notice(
                "credential changed", metadata: ["providers": .array(changed.map { .string($0) })])
            return service
        }
    }

    /// Certificates were checked when the configuration was read; if one fails anyway, the old ones stay in use.
    private func identities(
        of configuration: ProxyConfiguration, after former: ListenerIdentities
    ) -> ListenerIdentities {
        do throws(ServerIdentity.Mistake) {
            return try ListenerIdentities(configuration)
        } catch {
            instance.logger.error("a certificate cannot be used", metadata: ["reason": "\(error)"])
            return former
        }
    }

    /// Reports that a reload found the configuration in force unchanged.
    public func confirmConfiguration() {
        instance.reloads.withLock { status in
            status.succeed(at: SystemClock.wallNanoseconds, needsRestart: status.needsRestart)
        }
    }

    /// Reports that a reload failed, so that the old configuration stays in force.
    ///
    /// - Parameter mistakes: one line each, for the status page, without any text of a file, which may contain a
    ///   secret.
    public func rejectConfiguration(_ mistakes: [String]) {
        instance.reloads.withLock { $0.fail(for: mistakes) }
    }
}

extension ConfigurationChange {
    fileprivate mutating func compare(_ providers: [ProviderService], with former: [ProviderService]) {
        for provider in providers {
            let name = provider.configuration.name
            guard let old = former.first(where: { $0.configuration.name == name }) else {
                added.append(name)
                continue
            }
            if old.configuration != provider.configuration { changed.append(name) }
        }
        let names = Set(providers.map(\.configuration.name))
        removed = former.map(\.configuration.name).filter { !names.contains($0) }
    }
}
