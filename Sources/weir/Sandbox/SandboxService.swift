internal import Configuration
internal import Core
internal import Sandbox

extension Sandbox {
    /// Starts the imitations, or tells why not and throws the code.
    static func startOrTell(at address: ListenAddress) throws -> Sandbox {
        guard case .tcp(let host, let port) = address else {
            throw Failure.tell("the sandbox listens on a TCP port, not on \(address)", Failure.usage)
        }
        let profiles = try ProfileLibrary().builtIn
        do {
            return try Sandbox(address: "\(host)", port: port, profiles: profiles)
        } catch {
            throw Failure.tell("\(error)", Failure.unavailable)
        }
    }
}

extension LoadedConfiguration {
    /// Points every provider that `sandbox` imitates at it.
    ///
    /// A key that Weir adds becomes the sandbox's: the real one stays out of the game.
    mutating func point(to sandbox: Sandbox) {
        for index in configuration.providers.indices {
            var provider = configuration.providers[index]
            guard let base = sandbox.upstream(for: provider.profile),
                let upstream = try? UpstreamURL(parsing: base)
            else { continue }
            provider.upstream = upstream
            provider.tls = TLSConfiguration()
            if provider.credential != nil {
                provider.credential = Sandbox.key(for: provider.profile).map(Secret.init)
            }
            configuration.providers[index] = provider
        }
    }
}
