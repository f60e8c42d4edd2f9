public import Core
internal import Downstream
internal import Locking
internal import Logging
internal import Loop

/// What a reload has changed.
public struct ConfigurationChange: Hashable, Sendable {
    /// Providers that were not there before.
    public var added: [String] = []
    /// Providers that are there no more.
    public var removed: [String] = []
    /// Providers that are treated otherwise, or are read from another profile.
    public var changed: [String] = []
    /// Keys whose values run on as they were until a restart.
    public var needsRestart: [String] = []
}

extension ProxyServer {
    /// Serves by another configuration what begins from now on; what has begun ends as it began.
    ///
    /// Each worker changes over at once, and for itself. Ledgers and connections go on wherever the new configuration
    /// has use for them. Nothing happens while the server drains.
    ///
    /// - Parameters:
    ///   - configuration: what cannot change while the server runs is left as it is.
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
                identities: identities(of: configuration, after: former.identities), instance: instance,
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

    /// Certificates have been looked at when the configuration was read; should one fail all the same, the old ones stay.
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

    /// Tells people and metrics that the configuration was read again and is the one in force.
    public func confirmConfiguration() {
        instance.reloads.withLock { status in
            status.succeed(at: SystemClock.wallNanoseconds, needsRestart: status.needsRestart)
        }
    }

    /// Tells people and metrics that a configuration could not be taken, so that the old one stays.
    ///
    /// - Parameter mistakes: one line each, for the status page: no text of a file, where a secret may stand.
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
