public import Core
internal import Downstream
internal import Logging
internal import Wire

/// What admin requests can change of the program.
public struct ProcessControl: Sendable {
    /// Starts the drain, as SIGTERM does.
    public var quit: @Sendable () -> Void
    /// The minimum level of log messages.
    public var logLevel: @Sendable () -> LogLevel
    /// Changes it.
    public var setLogLevel: @Sendable (LogLevel) -> Void

    /// A control with these closures, which workers call: they must not wait.
    public init(
        quit: @escaping @Sendable () -> Void, logLevel: @escaping @Sendable () -> LogLevel,
        setLogLevel: @escaping @Sendable (LogLevel) -> Void
    ) {
        self.quit = quit
        self.logLevel = logLevel
        self.setLogLevel = setLogLevel
    }
}

/// Who may read or change what.
extension AdminRequest {
    /// What the request may do.
    enum Access {
        /// Its method has no meaning here.
        case none
        case read
        case change
        case refused(Fault)

        var refusal: Fault? { if case .refused(let fault) = self { fault } else { nil } }
        /// Whether the method has a meaning here.
        var isKnown: Bool { if case .none = self { false } else { true } }
    }

    /// What the request may do: reading may need a token, and changing something always needs the administrator's.
    var access: Access {
        let configuration = worker.service.configuration
        let isRead = path.isReadable && head.withMethod { $0.equals("GET") || $0.equals("HEAD") }
        let administrators = AccessTokens(configuration.adminToken.map { [$0] } ?? [])
        if !isRead, let method = path.changingMethod, head.withMethod({ $0.equals(method) }) {
            guard !administrators.isEmpty, worker.service.instance.control != nil else {
                let fault = Fault(
                    .routeNotFound,
                    detail: "This request changes Weir, which `admin.token` enables: it is not configured.",
                    effect: Effect.none)
                return .refused(fault)
            }
            let refusal = accessRefusal(administrators, key: "admin.token", allowsBearer: true)
            return refusal.map { .refused($0) } ?? .change
        }
        if !path.isProbe, !configuration.accessTokens.isEmpty {
            let tokens = configuration.accessTokens.union(administrators)
            if let refusal = accessRefusal(tokens, allowsBearer: true) { return .refused(refusal) }
        }
        return isRead ? .read : .none
    }

    /// Changes what the path is about.
    func change() -> AdminPage {
        guard let control = worker.service.instance.control else {
            return problem(.routeNotFound, "Nothing can be changed here.")
        }
        switch path {
        case .quit:
            control.quit()
            var page = AdminPage(json: #"{"status":"draining"}"#)
            page.status = 202
            return page
        case .logLevel(let name):
            guard let level = name.flatMap(LogLevel.init(rawValue:)) else {
                let names = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
                return problem(
                    .badClientRequest, Text("The query must be level=NAME, with one of: \(names)."))
            }
            changeLevel(to: level, by: control)
            return logLevelPage()
        default: return problem(.routeNotFound, "Nothing can be changed here.")
        }
    }

    /// The change is logged at the more verbose of the two levels, so that it does not hide itself.
    private func changeLevel(to level: LogLevel, by control: ProcessControl) {
        let former = control.logLevel()
        func log() {
            worker.service.logger.notice(
                "log level changed",
                metadata: ["from": "\(former.rawValue)", "to": "\(level.rawValue)", "by": "/-/log-level"])
        }
        let isMoreVerbose = level.rank < former.rank
        if !isMoreVerbose { log() }
        control.setLogLevel(level)
        if isMoreVerbose { log() }
    }

    /// The level in force.
    func logLevelPage() -> AdminPage {
        guard let level = worker.service.instance.control?.logLevel() else {
            return problem(.routeNotFound, "The log level is not known here.")
        }
        return AdminPage(json: #"{"level":"\#(level.rawValue)"}"#)
    }
}

extension LogLevel {
    /// The position, most verbose first.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
