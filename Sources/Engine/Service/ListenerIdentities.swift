internal import Downstream
public import Core

/// What clients are shown where a configuration speaks TLS with them.
struct ListenerIdentities: Sendable {
    /// At the address of the mounts.
    let main: ServerIdentity?
    /// At the addresses of providers that have their own, by provider.
    let providers: [String: ServerIdentity]

    init(_ configuration: ProxyConfiguration) throws(ServerIdentity.Mistake) {
        main = try ServerIdentity(configuration.listenTLS)
        var providers: [String: ServerIdentity] = [:]
        for provider in configuration.providers {
            providers[provider.name] = try ServerIdentity(provider.listenTLS)
        }
        self.providers = providers
    }

    /// That of a listener.
    func identity(for role: Listener.Role) -> ServerIdentity? {
        switch role {
        case .providers: main
        case .provider(let name): providers[name]
        case .admin: nil
        }
    }
}

extension ServerIdentity {
    fileprivate convenience init?(_ tls: ListenerTLS?) throws(Mistake) {
        guard let tls else { return nil }
        try self.init(tls)
    }

    fileprivate convenience init(_ tls: ListenerTLS) throws(Mistake) {
        try self.init(
            certificate: tls.certificate.value, key: tls.key.value,
            isTLS12Refused: tls.minimumVersion == .tls13)
    }
}

extension ListenerTLS {
    /// Why clients cannot be shown this certificate, in one line without any of its text; `nil` if they can.
    public var mistake: String? {
        do throws(ServerIdentity.Mistake) {
            _ = try ServerIdentity(self)
            return nil
        } catch {
            return error.description
        }
    }
}
