internal import ArgumentParser
internal import Configuration
internal import Core

/// `weir healthcheck`: whether the instance that runs with this configuration is ready.
struct HealthcheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Exit 0 if the running instance is ready, else 1.",
        discussion:
            "Requests /readyz within 2 s, at the address from the configuration, WEIR_LISTEN and WEIR_ADMIN_LISTEN. "
            + "TLS is not supported: if `listen` uses TLS, the instance needs `admin.listen`.")

    @Option(help: ArgumentHelp("The configuration file of the instance.", valueName: "file"))
    var config: String?

    mutating func run() throws {
        let configuration = try ConfigurationLoader(path: config, overrides: .environment).loadOrReport()
            .configuration
        guard configuration.adminListen != nil || configuration.listenTLS == nil else {
            throw Failure.report(
                "cannot check: the admin paths are on \(configuration.listen), which uses TLS; "
                    + "set admin.listen (or WEIR_ADMIN_LISTEN), which does not use TLS", Failure.check)
        }
        let address = configuration.adminListen ?? configuration.listen
        do {
            let status = try ReadinessProbe(address: address).status(within: .seconds(2))
            guard status == 200 else {
                throw ProbeFailure("not ready: /readyz at \(address) returned \(status)")
            }
        } catch {
            throw Failure.report("\(error)", Failure.check)
        }
    }
}
