internal import Core
internal import Wire

/// The paths of Weir's admin pages.
enum AdminPath: Equatable {
    case metrics
    case live
    case ready
    case index
    case problemSchema
    /// `/-/limits`, for requests with this `cost`; `nil` if the cost is not a number from 1 on.
    case limits(cost: Int?)
    /// `/-/errors`, or `/-/errors/<code>`.
    case errors(code: String?)
    /// `/-/requests`, or `/-/requests/<id>`.
    case requests(id: String?)
    case unmapped
    /// `/-/log-level`, with the level in the query, if any.
    case logLevel(String?)
    case quit
    case credentials
    case unknown

    /// All admin paths, as listed for people.
    static let all = [
        "/metrics", "/livez", "/readyz", "/-/", "/-/limits", "/-/limits?cost=N", "/-/requests",
        "/-/requests/<id>",
        "/-/unmapped", "/-/credentials", "/-/errors", "/-/errors/<code>", "/-/schema/problem.json",
        "/-/log-level", "/-/quit",
    ]

    /// Whether `target` is an admin path.
    static func contains(_ target: Span<UInt8>) -> Bool {
        // Most requests go to a provider, which two bytes show.
        guard target.count >= 2, target[0] == 0x2F, "-mlr".utf8.contains(target[1]) else { return false }
        var end = 0
        while end < target.count, target[end] != 0x3F { end += 1 }
        let path = target.extracting(0..<end)
        switch path[1] {
        case UInt8(ascii: "-"): return path.count == 2 || path[2] == 0x2F
        case UInt8(ascii: "m"): return path.equals("/metrics")
        case UInt8(ascii: "l"): return path.equals("/livez")
        case UInt8(ascii: "r"): return path.equals("/readyz")
        default: return false
        }
    }

    /// The method of requests that change something here; `nil` where none does.
    var changingMethod: StaticString? {
        switch self {
        case .logLevel: "PUT"
        case .quit: "POST"
        default: nil
        }
    }

    /// Whether the page can be read.
    var isReadable: Bool { self != .quit }

    /// The methods that it accepts, for `Allow`.
    var allowedMethods: String {
        let reading = isReadable ? "GET, HEAD" : ""
        guard let changingMethod else { return reading }
        return reading.isEmpty ? "\(changingMethod)" : "\(reading), \(changingMethod)"
    }

    /// Whether callers need no token: probes have none.
    var isProbe: Bool { self == .live || self == .ready }

    /// Whether problems link to `target`; such pages are served on every port that sends problems.
    static func isLinked(_ target: Span<UInt8>) -> Bool {
        // Most requests go to a provider, which three bytes show.
        guard target.count > 3, target[1] == 0x2D, target[0] == 0x2F, target[2] == 0x2F else { return false }
        switch AdminPath(target) {
        case .errors, .problemSchema: return true
        case .requests(let id): return id?.isEmpty == false
        default: return false
        }
    }

    /// The admin path that `target` names.
    init(_ target: Span<UInt8>) {
        var end = 0
        while end < target.count, target[end] != 0x3F { end += 1 }
        let path = target.extracting(0..<end).string
        switch path {
        case "/metrics": self = .metrics
        case "/livez": self = .live
        case "/readyz": self = .ready
        case "/-", "/-/": self = .index
        case "/-/limits", "/-/limits/":
            self = .limits(cost: Self.cost(target.extracting(min(end + 1, target.count)..<target.count)))
        case "/-/schema/problem.json": self = .problemSchema
        case "/-/errors", "/-/errors/": self = .errors(code: nil)
        case "/-/requests", "/-/requests/": self = .requests(id: nil)
        case "/-/unmapped": self = .unmapped
        case "/-/quit": self = .quit
        case "/-/log-level":
            self = .logLevel(Self.level(target.extracting(min(end + 1, target.count)..<target.count)))
        case "/-/credentials": self = .credentials
        default:
            if let code = Self.step(of: path, behind: "/-/errors/") {
                self = .errors(code: code)
            } else if let id = Self.step(of: path, behind: "/-/requests/") {
                self = .requests(id: id)
            } else {
                self = .unknown
            }
        }
    }

    private static func step(of path: String, behind prefix: String) -> String? {
        path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    /// The text in the query `level=NAME`; empty for another query, `nil` without one.
    private static func level(_ query: Span<UInt8>) -> String? {
        guard query.count > 0 else { return nil }
        guard query.startsIgnoringCase(with: "level=") else { return "" }
        return query.extracting(6..<query.count).string
    }

    /// The number in the query `cost=N`; 1 without a query.
    private static func cost(_ query: Span<UInt8>) -> Int? {
        guard query.count > 0 else { return 1 }
        guard query.startsIgnoringCase(with: "cost="), let cost = query.extracting(5..<query.count).decimal,
            (1...Int64(PacingDemand.maximumWeight)).contains(cost)
        else { return nil }
        return Int(cost)
    }
}

/// A response of an admin path.
struct AdminPage {
    static let json = "application/json"
    static let html = "text/html; charset=utf-8"

    var status: Int
    var contentType: String
    var body: [UInt8]
    var fields: [(name: String, value: String)] = []

    init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(json text: String) { self.init(status: 200, contentType: Self.json, body: Array(text.utf8)) }

    /// An HTML page.
    init(title: String, content: String) {
        let text = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>\(Self.escaped(title))</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}
            code{font-family:ui-monospace,monospace}</style>
            <h1>\(Self.escaped(title))</h1>
            \(content)
            </html>

            """
        self.init(status: 200, contentType: Self.html, body: Array(text.utf8))
    }

    /// `text`, escaped for HTML.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
