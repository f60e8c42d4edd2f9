internal import Core
internal import Engine
internal import Logging
internal import Loop

/// The certificates that Weir presents: those of listeners and those for providers.
enum OwnCertificates {
    /// Each chain, by the key that names it; a file that cannot be read has none.
    static func read(_ configuration: ProxyConfiguration) -> [(key: String, chain: [CertificateFacts])] {
        var found: [(key: String, chain: [CertificateFacts])] = []
        if let tls = configuration.listenTLS {
            found.append(("listen.tls", CertificateFacts.all(in: tls.certificate.value)))
        }
        for provider in configuration.providers where provider.account == nil {
            if let tls = provider.listenTLS {
                found.append(
                    ("providers.\(provider.name).listen.tls", CertificateFacts.all(in: tls.certificate.value))
                )
            }
            if let path = provider.tls.clientCertificate {
                found.append(
                    (
                        "providers.\(provider.name).tls.client_certificate",
                        Files.read(path).map { CertificateFacts.all(in: $0) } ?? []
                    ))
            }
        }
        return found
    }
}

/// Logs what is wrong with a configuration and needs no network to be seen.
enum SetupWarnings {
    /// - Parameter isSandboxed: whether the sandbox takes any key.
    static func log(_ configuration: ProxyConfiguration, isSandboxed: Bool, to logger: Logger) {
        let diagnosis = ConfigurationDiagnosis(
            configuration, certificates: OwnCertificates.read(configuration),
            at: SystemClock.wallNanoseconds / 1_000_000_000)
        for finding in diagnosis.troubles where !isSandboxed || finding.check != .credential {
            logger.warning(
                "the set-up needs attention",
                metadata: [
                    "subject": "\(finding.subject)", "check": "\(finding.check.rawValue)",
                    "found": "\(finding.fact)", "advice": "\(finding.advice ?? "")",
                ])
        }
    }
}
