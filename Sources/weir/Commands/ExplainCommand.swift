internal import ArgumentParser
internal import ContentCoding
internal import Core
internal import Glibc
internal import Wire

/// `weir explain`: which problem a provider's response becomes, and why.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show the problem that a provider's response becomes.",
        discussion: """
            The problem is written to standard output, the profile and rule that matched to standard error.

            Example: echo 'Bad team' | weir explain --provider lemlist --status 400 --body -
            """)

    @Option(help: "A provider of the configuration, or a profile: its name or its file.")
    var provider: String

    @Option(help: "The status of the response, 100 to 999.")
    var status: Int

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("A header field of the response; repeat the option for more.", valueName: "K: V"))
    var headers: [String] = []

    @Option(help: "The method of the request.")
    var method = "GET"

    @Option(help: "The path of the request, after the provider's base URL.")
    var path = "/"

    @Option(
        help: ArgumentHelp(
            "The body of the response as received: a file, or - for standard input.", valueName: "file"))
    var body: String?

    @Option(help: ArgumentHelp("The configuration file; without one, built-in defaults.", valueName: "file"))
    var config: String?

    mutating func validate() throws {
        guard (100...999).contains(status) else {
            throw ValidationError("--status must be a number from 100 to 999, not \(status).")
        }
        guard path.hasPrefix("/") else { throw ValidationError("--path must begin with /, not '\(path)'.") }
        for header in headers where Self.field(header) == nil {
            throw ValidationError("--header must be 'Name: value', not '\(header)'.")
        }
    }

    mutating func run() throws {
        let loaded = try ConfigurationLoader(path: config).loadOrReport()
        let normalizer = try normalizer(in: loaded)
        let answer = try answer(limit: loaded.configuration.limits.errorBody)
        var now = 0
        unsafe time(&now)
        guard
            let error = normalizer.normalize(
                answer, of: RequestFacts(method: method, path: path), at: Int64(now))
        else {
            let rule = normalizer.rule(for: answer, of: RequestFacts(method: method, path: path))
                .map { normalizer.profile.rules[$0] }
            return StandardStreams.printError(
                rule.map {
                    "relayed unchanged: rule '\($0.name)' of the profile \($0.profile) says that it is a success"
                }
                    ?? "relayed unchanged: no rule of the profile \(normalizer.profile.name) matches")
        }
        let explanation = Explanation(error)
        var problem = Problem(error, provider: Text(provider), requestID: "example")
        problem.attempts = 1
        var json: [UInt8] = []
        problem.encode(into: &json, as: ProblemFormat(typeBase: loaded.configuration.typeBase))
        StandardStreams.print(IndentedJSON.lay(out: json))
        for line in explanation.lines { StandardStreams.printError(line) }
        switch loaded.configuration.providers.first(where: { $0.name == provider })?.errors {
        case .raw:
            StandardStreams.printError(
                "errors are raw for this provider: the app receives the response unchanged")
        case .merged:
            StandardStreams.printError(
                "errors are merged for this provider: the app gets the provider's own body, with this problem as its member "
                    + "`problem` if it is a JSON object")
        case .problem, nil: break
        }
    }

    private func normalizer(in loaded: LoadedConfiguration) throws -> ErrorNormalizer {
        let providers = loaded.configuration.providers
        if let index = providers.firstIndex(where: { $0.name == provider }) {
            return loaded.normalizers[index]
        }
        let isKnown = ProfileLibrary.names.contains(provider)
        guard isKnown || ProfileLibrary.isPath(provider) else {
            let names = providers.map(\.name).joined(separator: ", ")
            throw Failure.report(
                "there is no provider and no profile '\(provider)'; the providers are \(names)", Failure.usage
            )
        }
        return ErrorNormalizer(profile: try ProfileLibrary().profileOrReport(named: provider))
    }

    private func answer(limit: Int) throws -> ProviderAnswer {
        var fields = FieldBlock()
        for (name, value) in headers.compactMap(Self.field) { fields.append(name, value) }
        guard let body else { return ProviderAnswer(status: status, fields: fields, body: []) }
        guard var bytes = Files.readBytes(body) else {
            throw Failure.report("\(body) cannot be read: \(Files.lastError)", Failure.check)
        }
        // Like the proxy, truncates a longer body before and after decoding.
        var isTruncated = bytes.count > limit
        bytes = Array(bytes.prefix(limit))
        let decoded = BodyText.decode(
            bytes, coding: fields.list("Content-Encoding"), contentType: fields.first("Content-Type"),
            limit: limit)
        bytes = decoded.bytes
        isTruncated = isTruncated || decoded.isTruncated
        return ProviderAnswer(status: status, fields: fields, body: bytes, isTruncated: isTruncated)
    }

    /// The name and value of `Name: value`.
    private static func field(_ text: String) -> (name: String, value: String)? {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return nil }
        let name = text[..<colon]
        let token = name.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0)
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        let isOneLine = !value.utf8.contains { $0 < 0x20 && $0 != 0x09 }
        return token && isOneLine ? (String(name), String(value)) : nil
    }
}

/// Explains in words which rule matched and what it causes.
private struct Explanation {
    let lines: [String]

    init(_ error: NormalizedError) {
        let rule = "rule '\(error.rule)' of the profile \(error.profile)"
        lines = [
            error.isMapped
                ? "matched \(rule)"
                : "not mapped: only the fallback \(rule) matched; add a rule to the profile",
            Self.pacing(error.pacing),
        ].compactMap { $0 }
    }

    private static func pacing(_ pacing: NormalizedError.Pacing) -> String? {
        switch pacing {
        case .proceed: return nil
        case .pauseLedger(let seconds):
            let time = seconds.map { "\($0) s" } ?? "the length of its window"
            return "Weir would send nothing more under this limit for \(time)"
        case .pauseQuota(let seconds):
            return seconds.map { "the quota is renewed in \($0) s" }
                ?? "the provider does not say when the quota is renewed"
        }
    }
}
