import Configuration
import Core
import Testing

struct OverrideTests {
    @Test("a flag overrides a variable, a variable the file, and the file the default")
    func order() throws {
        let text = "listen: 127.0.0.1:1\nworkers: 1\nlog: { access: off }\n"
        let configuration = try read(
            text, variables: ["WEIR_LISTEN": "127.0.0.1:2", "WEIR_WORKERS": "2", "WEIR_LOG_LEVEL": "debug"],
            flags: [.listen: "127.0.0.1:3"])
        #expect(configuration.listen.description == "127.0.0.1:3")
        #expect(configuration.workers == 2)
        #expect(configuration.logLevel == .debug)
        #expect(!configuration.logsAccess)
    }

    @Test("every setting has a flag and a variable")
    func everySetting() throws {
        let variables = [
            "WEIR_LISTEN": "[::1]:5", "WEIR_ADMIN_LISTEN": "[::1]:6", "WEIR_WORKERS": "auto",
            "WEIR_LOG_LEVEL": "error", "WEIR_ACCESS_LOG": "off",
        ]
        #expect(Set(ConfigurationOverrides.Setting.allCases.map(\.variable)) == Set(variables.keys))
        #expect(
            ConfigurationOverrides.Setting.allCases.map(\.flag)
                == ["--listen", "--admin-listen", "--workers", "--log-level", "--access-log"])
        let configuration = try read("workers: 4", variables: variables)
        var expected = try ProxyConfiguration.builtIn(profiles: knownProfiles)
        expected.listen = .tcp(.v6(high: 0, low: 1), port: 5)
        expected.adminListen = .tcp(.v6(high: 0, low: 1), port: 6)
        expected.logLevel = .error
        expected.logsAccess = false
        #expect(configuration == expected)
    }

    @Test("an empty variable counts as not set")
    func emptyVariable() throws {
        #expect(try read("workers: 4", variables: ["WEIR_WORKERS": ""]).workers == 4)
    }

    @Test("a mistake of a flag or a variable names it, and precedes those of the file")
    func mistakesAreNamed() {
        let found = mistakes(
            "workers: 0", variables: ["WEIR_WORKERS": "many", "WEIR_LOG_LEVEL": "loud"],
            flags: [.listen: "80"])
        #expect(
            found == """
                --listen: '80' must be an address and a port (127.0.0.1:8080, [::1]:8080, 0.0.0.0:8080) or \
                unix:/PATH
                WEIR_WORKERS: 'many' must be auto or a whole number from 1 to 256
                WEIR_LOG_LEVEL: 'loud' is not one of: trace, debug, info, notice, warning, error, critical
                weir.yaml:1:10: workers: '0' must be auto or a whole number from 1 to 256
                """)
    }

    @Test("a conflict caused by an override's port is reported for the override")
    func conflict() {
        let text = "admin: { listen: '127.0.0.1:9464' }"
        #expect(
            mistakes(text, flags: [.listen: "127.0.0.1:9464"]).hasPrefix(
                "--listen: `listen` (127.0.0.1:9464) and"))
        #expect(
            mistakes(text, variables: ["WEIR_ADMIN_LISTEN": "0.0.0.0:8080"]).hasPrefix(
                "WEIR_ADMIN_LISTEN: `listen` (127"))
    }

    @Test("overrides work without a file")
    func builtIn() throws {
        let overrides = ConfigurationOverrides(flags: [.listen: "127.0.0.1:0"])
        let built = try ProxyConfiguration.builtIn(profiles: knownProfiles, overrides: overrides)
        #expect(built.listen.description == "127.0.0.1:0")
    }
}
