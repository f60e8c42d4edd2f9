internal import Core

extension ConfigurationReader {
    /// Checks that involve several values: conflicting ports, mounts over Weir's own paths, shared ledgers.
    func check(_ configuration: ProxyConfiguration, drafts: [ProviderDraft]) {
        checkPorts(configuration, drafts: drafts)
        checkMounts(drafts)
        checkGroups(drafts)
        checkReplicas(configuration, drafts: drafts)
    }

    private func checkPorts(_ configuration: ProxyConfiguration, drafts: [ProviderDraft]) {
        var taken: [(address: ListenAddress, user: String)] = []
        if isListenSound { taken.append((configuration.listen, "`listen`")) }
        if let address = configuration.adminListen {
            if isListenSound, address.conflicts(with: configuration.listen) {
                adminListen?.report(
                    "`listen` (\(configuration.listen)) and `admin.listen` (\(address)) cannot both be open; "
                        + "without `admin.listen` the admin paths are on `listen`")
            }
            taken.append((address, "`admin.listen`"))
        }
        for draft in drafts {
            guard let address = draft.listen else { continue }
            if let other = taken.first(where: { $0.address.conflicts(with: address) }) {
                draft.report("\(address) is already used by \(other.user) (\(other.address))", at: .listen)
            }
            taken.append((address, "the provider '\(draft.name)'"))
        }
    }

    private func checkMounts(_ drafts: [ProviderDraft]) {
        var owners: [MountPath: String] = [:]
        for draft in drafts {
            guard let mount = draft.mount else { continue }
            let quoted = draft.quoted(.mount, else: mount.path)
            if mount.overlapsAdminPaths {
                draft.report(
                    "\(quoted) must not begin with /-, /metrics, /livez or /readyz: these paths are reserved for Weir",
                    at: .mount)
            }
            if let owner = owners[mount] {
                draft.report("\(quoted) is already the mount of the provider '\(owner)'", at: .mount)
            } else {
                owners[mount] = draft.name
            }
        }
    }

    /// Providers that share a ledger must have equal limits; providers with other mistakes are skipped.
    private func checkGroups(_ drafts: [ProviderDraft]) {
        var groups: [String: ProviderConfiguration] = [:]
        for draft in drafts {
            let isDoubtful = reading.mistakes.contains { $0.key.hasPrefix("providers.\(draft.name).") }
            guard let provider = draft.configuration, !isDoubtful else { continue }
            guard provider.limits.contains(where: { $0.by == .group }) else {
                draft.places[.group]?.report(
                    "has no effect: no limit of this provider is counted `by: group`")
                continue
            }
            guard let first = groups[provider.group] else {
                groups[provider.group] = provider
                continue
            }
            if first.limits != provider.limits {
                draft.report(
                    "shares the group \(draft.quoted(.group, else: draft.name)) with the provider "
                        + "'\(first.name)', so both must have the same limits",
                    at: draft.places[.limits] == nil ? .group : .limits)
            }
        }
    }
}
