internal import Core
internal import Yams

/// What flags and environment variables say instead of the file; a flag wins over a variable.
public struct ConfigurationOverrides: Sendable {
    /// A setting that can be overridden.
    public enum Setting: String, CaseIterable, Sendable {
        /// ``ProxyConfiguration/listen``: `--listen`, `WEIR_LISTEN`.
        case listen
        /// ``ProxyConfiguration/adminListen``: `--admin-listen`, `WEIR_ADMIN_LISTEN`.
        case adminListen = "admin-listen"
        /// ``ProxyConfiguration/workers``: `--workers`, `WEIR_WORKERS`.
        case workers
        /// ``ProxyConfiguration/logLevel``: `--log-level`, `WEIR_LOG_LEVEL`.
        case logLevel = "log-level"
        /// ``ProxyConfiguration/logsAccess``: `--access-log`, `WEIR_ACCESS_LOG`.
        case accessLog = "access-log"

        /// The flag, such as `--log-level`.
        public var flag: String { "--\(rawValue)" }

        /// The environment variable, such as `WEIR_LOG_LEVEL`.
        public var variable: String {
            "WEIR_"
                + String(rawValue.map { $0 == "-" ? "_" : Character($0.uppercased()) })
        }
    }

    private var values: [Setting: (source: String, text: String)] = [:]

    /// Overrides of these flags and of the environment.
    ///
    /// - Parameters:
    ///   - flags: The texts of the flags that were given.
    ///   - variable: The value of an environment variable; an empty one counts as not set.
    public init(flags: [Setting: String] = [:], variable: (String) -> String? = { _ in nil }) {
        for setting in Setting.allCases {
            if let text = flags[setting] {
                values[setting] = (setting.flag, text)
            } else if let text = variable(setting.variable), !text.isEmpty {
                values[setting] = (setting.variable, text)
            }
        }
    }

    /// Puts the overrides into `configuration`.
    ///
    /// - Returns: each as a value that knows its flag or variable, and has reported its mistake there.
    func apply(to configuration: inout ProxyConfiguration) -> [Setting: YAMLValue] {
        var applied: [Setting: YAMLValue] = [:]
        for (setting, (source, text)) in values {
            let reading = YAMLReading(file: source, surroundings: .none)
            let value = YAMLValue(node: Node(text), key: "", reading: reading)
            applied[setting] = value
            switch setting {
            case .listen:
                value.listenAddress.map { configuration.listen = $0.keepingMode(of: configuration.listen) }
            case .adminListen:
                value.listenAddress.map {
                    configuration.adminListen = $0.keepingMode(of: configuration.adminListen)
                }
            case .workers: value.workers.map { configuration.workers = $0 }
            case .logLevel:
                value.choice(LogLevel.allCases.map { ($0.rawValue, $0) }).map { configuration.logLevel = $0 }
            case .accessLog: value.boolean.map { configuration.logsAccess = $0 }
            }
        }
        return applied
    }
}

extension ListenAddress {
    /// The address with the mode of the file's: a flag or variable replaces the path alone.
    fileprivate func keepingMode(of other: ListenAddress?) -> ListenAddress {
        guard case .unix(let path, _) = self, case .unix(_, let mode)? = other else { return self }
        return .unix(path: path, mode: mode)
    }
}
