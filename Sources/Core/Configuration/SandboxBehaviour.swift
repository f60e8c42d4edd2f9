internal import Wire

/// The response that a request to the sandbox asks for: in its `X-Sandbox-` fields, or in a file.
public struct SandboxBehaviour: Sendable, Hashable {
    /// Where a response ends too early.
    public enum Abort: String, CaseIterable, Sendable {
        /// The connection is closed before the head.
        case head
        /// The connection is closed after half of the body.
        case body
        /// The connection is reset before the head.
        case reset
    }

    /// What can be asked for, as files spell it.
    public enum Key: String, CaseIterable, Sendable {
        /// ``SandboxBehaviour/delay``.
        case delay
        /// ``SandboxBehaviour/abort``.
        case abort
        /// ``SandboxBehaviour/recorded``.
        case recorded = "case"
        /// ``SandboxBehaviour/status``.
        case status
        /// ``SandboxBehaviour/code``.
        case code
        /// ``SandboxBehaviour/errorRate``.
        case errorRate = "error_rate"
        /// ``SandboxBehaviour/seed``.
        case seed

        /// The request field that asks for it.
        public var fieldName: String {
            switch self {
            case .delay: "X-Sandbox-Delay"
            case .abort: "X-Sandbox-Abort"
            case .recorded: "X-Sandbox-Case"
            case .status: "X-Sandbox-Status"
            case .code: "X-Sandbox-Code"
            case .errorRate: "X-Sandbox-Error-Rate"
            case .seed: "X-Sandbox-Seed"
            }
        }
    }

    /// The time before the response: 1 ms to 10 minutes.
    public var delay: Duration?
    /// Where the response ends too early.
    public var abort: Abort?
    /// The id of a recorded response.
    public var recorded: String?
    /// The status of the response: 200 to 599.
    public var status: Int?
    /// The code that Weir gives to the response.
    public var code: ProblemCode?
    /// The share of requests that get the abort or the response that is asked for: 0 to 1; all if absent.
    public var errorRate: Double?
    /// Which requests these are; 0 if absent.
    public var seed: UInt64?

    /// The longest ``delay``.
    public static let longestDelay = Duration.seconds(600)

    /// Nothing special.
    public init() {}

    /// Reads a value.
    ///
    /// - Throws: what is allowed.
    public mutating func set(_ key: Key, to text: String) throws(InvalidSetting) {
        switch key {
        case .delay: delay = try Self.delay(text)
        case .abort:
            guard let value = Abort(rawValue: text) else {
                let names = Abort.allCases.map(\.rawValue).joined(separator: ", ")
                throw InvalidSetting("is not one of: \(names)")
            }
            abort = value
        case .recorded:
            let isValid = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            guard isValid, (1...64).contains(text.utf8.count) else {
                throw InvalidSetting("must be the id of a recorded case, such as stripe-003")
            }
            recorded = text
        case .status:
            guard text.utf8.allSatisfy(\.isASCIIDigit), let value = Int(text), (200...599).contains(value)
            else { throw InvalidSetting("must be a status from 200 to 599") }
            status = value
        case .code:
            guard let value = ProblemCode(name: text), value.origin == .provider else {
                let names = ProblemCode.allCases.filter { $0.origin == .provider }.map(\.name)
                throw InvalidSetting("is not one of: \(names.joined(separator: ", "))")
            }
            code = value
        case .errorRate: errorRate = try Self.share(text)
        case .seed:
            guard text.utf8.allSatisfy(\.isASCIIDigit), let value = UInt64(text) else {
                throw InvalidSetting("must be a whole number from 0 to \(UInt64.max)")
            }
            seed = value
        }
    }

    /// What remains of this where `other` asks for something else.
    public func overridden(by other: SandboxBehaviour) -> SandboxBehaviour {
        var result = self
        if other.recorded != nil || other.status != nil || other.code != nil {
            (result.recorded, result.status, result.code) = (other.recorded, other.status, other.code)
        }
        result.delay = other.delay ?? delay
        result.abort = other.abort ?? abort
        result.errorRate = other.errorRate ?? errorRate
        result.seed = other.seed ?? seed
        return result
    }

    /// Whether request number `number`, counted from 0, is among the ``errorRate``: always the same ones for a seed.
    public func isError(number: UInt64) -> Bool {
        guard let errorRate else { return true }
        // SplitMix64.
        var mixed = (seed ?? 0) &+ (number &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Double(mixed >> 11) * 0x1p-53 < errorRate
    }

    /// A number without sign and exponent.
    private static func number(_ text: Substring) -> Double? {
        let isPlain = text.utf8.allSatisfy { $0.isASCIIDigit || $0 == UInt8(ascii: ".") }
        guard isPlain, (1...20).contains(text.utf8.count), let value = Double(text), value.isFinite else {
            return nil
        }
        return value
    }

    private static func delay(_ text: String) throws(InvalidSetting) -> Duration {
        let units: [(name: String, seconds: Double)] = [("ms", 1e-3), ("s", 1), ("m", 60)]
        if let unit = units.first(where: { text.hasSuffix($0.name) }),
            let number = number(text.dropLast(unit.name.utf8.count)), number * unit.seconds <= 600
        {
            let delay = Duration.microseconds(Int64(number * unit.seconds * 1e6))
            if delay >= .milliseconds(1) { return delay }
        }
        throw InvalidSetting("must be a time from 1ms to 10m, with its unit: 250ms, 1.5s, 1m")
    }

    private static func share(_ text: String) throws(InvalidSetting) -> Double {
        guard text.hasSuffix("%"), let percent = number(text.dropLast()), percent <= 100 else {
            throw InvalidSetting("must be a percentage from 0% to 100%, such as 2.5%")
        }
        return percent / 100
    }
}

/// Which requests to the sandbox get which behaviour.
public struct SandboxRule: Sendable, Hashable {
    /// The names of the profiles; empty for all.
    public var profiles: [String] = []
    /// The requests, by method and path after the base URL; empty for all.
    public var routes: [RequestPattern] = []
    /// The behaviour.
    public var behaviour = SandboxBehaviour()

    /// A rule for all requests.
    public init() {}

    /// Whether it is for a request.
    public func matches(profile: String, method: String, path: String) -> Bool {
        guard profiles.isEmpty || profiles.contains(profile) else { return false }
        let (method, path) = (Text(method), Text(path))
        return routes.isEmpty || routes.contains { $0.matches(method: method, path: path) }
    }
}
