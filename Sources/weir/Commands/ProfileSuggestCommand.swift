internal import ArgumentParser
internal import Configuration
internal import Core

/// `weir profile suggest`: rules for responses that no rule knows.
struct ProfileSuggestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest",
        abstract: "Print rules, with cases, for responses that no rule of a profile matches.",
        discussion: """
            Reads what /-/unmapped of a running Weir shows, or recorded responses in the form of a profile's `cases`. The rules are \
            guesses from words and statuses, for a person to check. What looks like a secret is replaced by [redacted].

            Example: curl -s http://127.0.0.1:8080/-/unmapped | weir profile suggest -
            """)

    @Argument(
        help: ArgumentHelp(
            "Files of unmapped responses, JSON or YAML; - for standard input.", valueName: "file"))
    var files: [String] = []

    @Option(help: ArgumentHelp("The address of a running Weir's admin paths.", valueName: "http://host:port"))
    var from: String?

    @Option(help: "Only the responses of this provider; needed if the input has several.")
    var provider: String?

    @Option(help: "The profile that the rules are for, built-in or a file: what it matches is left out.")
    var profile = "generic"

    mutating func validate() throws {
        if files.isEmpty == (from == nil) {
            throw ValidationError("Either files or --from is needed: the responses that no rule matches.")
        }
    }

    mutating func run() throws {
        let judge = ErrorNormalizer(profile: try ProfileLibrary().profileOrReport(named: profile))
        var seen: [UnmappedResponse] = []
        do {
            if let from {
                let page = try AdminPageFetch(address: from).get("/-/unmapped", within: .seconds(10))
                let text = String(decoding: page, as: UTF8.self)
                seen = try UnmappedResponse.read(try DocumentTree(parsing: text, file: from), file: from)
            }
            for file in files {
                guard let text = Files.read(file) else {
                    throw Failure.report("\(file) cannot be read: \(Files.lastError)", Failure.check)
                }
                seen += try UnmappedResponse.read(try DocumentTree(parsing: text, file: file), file: file)
            }
        } catch let mistakes as ConfigurationMistakes {
            StandardStreams.printError("\(mistakes)")
            throw Failure.data
        } catch let failure as ProbeFailure {
            throw Failure.report("\(failure)", Failure.check)
        }
        if let provider { seen.removeAll { $0.provider != nil && $0.provider != provider } }
        let providers = Set(seen.compactMap(\.provider)).sorted()
        guard providers.count <= 1 else {
            throw Failure.report(
                "the responses are of several providers; choose one with --provider: "
                    + providers.joined(separator: ", "), Failure.usage)
        }
        let unmapped = seen.filter { $0.isUnmapped(by: judge) }
        guard !unmapped.isEmpty else {
            return StandardStreams.printError(
                "nothing to suggest: \(Spelling.count(seen.count, "response")), none without a rule")
        }
        let name = providers.first ?? "suggested"
        var sketch = try ProfileSketch(head: DocumentTree(.mapping([("name", .text(name))])))
        sketch.suggest(for: unmapped.map(\.sample), prefix: name)
        var text = YAMLPrinter.comment(
            "For the profile of \(name), from \(Spelling.count(unmapped.count, "kind")) of unmapped responses. Check each rule: "
                + "the codes are guesses.")
        text += YAMLPrinter.print(DocumentTree(.mapping(sketch.parts)))
        StandardStreams.print(String(text.dropLast()))
    }
}

/// A response that no rule has matched, as /-/unmapped or a case describes it.
struct UnmappedResponse {
    var provider: String?
    var sample: SampleError
    private var bytes: [UInt8]

    /// The responses of a page of /-/unmapped, or of a list of cases.
    ///
    /// - Throws: ``ConfigurationMistakes`` about what is in the file instead.
    static func read(_ tree: DocumentTree, file: String) throws(ConfigurationMistakes) -> [UnmappedResponse] {
        guard let list = tree["answers"] ?? tree["cases"] ?? (tree.elements.isEmpty ? nil : tree),
            case .list(let entries) = list.content
        else {
            throw mistake(
                "has no responses; needed: the JSON of /-/unmapped with `answers`, or `cases` as in a profile",
                tree,
                file)
        }
        var responses: [UnmappedResponse] = []
        for entry in entries {
            guard let text = entry["status"]?.string, let status = Int(text),
                StatusSet.possible.contains(status)
            else {
                throw mistake("needs a `status` from 100 to 999", entry["status"] ?? entry, file)
            }
            responses.append(UnmappedResponse(entry, status: status))
        }
        return responses
    }

    private static func mistake(_ reason: String, _ tree: DocumentTree, _ file: String)
        -> ConfigurationMistakes
    {
        ConfigurationMistakes(all: [
            ConfigurationMistake(file: file, line: tree.line, column: tree.column, key: "", reason: reason)
        ])
    }

    private init(_ entry: DocumentTree, status: Int) {
        provider = entry["provider"]?.string
        let excerpt = entry["excerpt"]?.string
        bytes = Array((excerpt ?? entry["body"]?.string ?? "").utf8)
        let header = entry["headers"]?.members.first { $0.name.lowercased() == "content-type" }?.value.string
        sample = SampleError(
            status: status, contentType: entry["content_type"]?.string ?? header,
            body: CleanBody(bytes, isCut: excerpt != nil), confidence: "observed_live")
        let words = (entry["request"]?.string ?? "").split(separator: " ").map(String.init)
        if words.count == 2, words[1].hasPrefix("/"), RequestPattern("\(words[0]) /") != nil, words[0] != "*"
        {
            sample.request = (words[0], CleanBody.clean(String(words[1].prefix { $0 != "?" })))
        }
        // A field's value is one line.
        if sample.contentType?.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) == true {
            sample.contentType = nil
        }
    }

    /// Whether no rule but a fallback of the profile matches.
    func isUnmapped(by normalizer: ErrorNormalizer) -> Bool {
        var recorded = ProfileCase(id: "a", name: "a", status: sample.status)
        if let type = sample.contentType { recorded.addField("Content-Type", type) }
        recorded.body = Array(sample.body.text.utf8)
        let facts = RequestFacts(method: sample.request.method, path: sample.request.path)
        let error = normalizer.normalize(ProfileTesting.answer(recorded), of: facts, at: 0)
        return error?.isMapped == false
    }
}

extension ProfileSketch {
    /// Adds rules and cases for these errors: one for those of one form and status, or one per meaning.
    mutating func suggest(for samples: [SampleError], prefix: String) {
        learnPlaces(from: samples)
        let groups = Dictionary(grouping: samples) { "\($0.status) \($0.body.shape)" }
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
            let meanings = Dictionary(grouping: group, by: \.guess)
            let sorted = meanings.sorted { ($1.value.count, $0.key.name) < ($0.value.count, $1.key.name) }
            // The rarer meanings are told by their codes; the most frequent one holds for the rest of the form.
            for (meaning, some) in sorted.dropFirst() { add(Self.narrow(some, meaning), for: some) }
            guard let (meaning, some) = sorted.first else { continue }
            add(Self.wide(some, meaning) + Self.narrow(some, meaning), for: some)
        }
        addCases(samples, prefix: prefix)
    }

    /// A rule for all errors of the form.
    private static func wide(_ samples: [SampleError], _ meaning: ProblemCode) -> [DocumentTree] {
        guard let sample = samples.first else { return [] }
        let remark =
            "Guess, from \(Spelling.count(samples.count, "response")): every error of this form is \(meaning.name)."
        guard sample.body.isJSON else {
            let kind =
                sample.body.text.isEmpty
                ? "empty" : sample.body.text.lowercased().contains("<html") ? "html" : "text"
            return [
                rule(
                    "status \(sample.status), \(kind)", status: sample.status, [("content", .text(kind))],
                    meaning,
                    remark: remark)
            ]
        }
        let places = [sample.code?.place, sample.messagePlace].compactMap { $0 }
        let known = places.isEmpty ? Array(sample.body.leaves.prefix(2).map(\.place)) : places
        guard !known.isEmpty else {
            return [
                rule(
                    "status \(sample.status), JSON", status: sample.status, [("content", .text("json"))],
                    meaning,
                    remark: remark)
            ]
        }
        let tests = known.map { DocumentTree(.mapping([("at", .text($0)), ("matches", .text("."))])) }
        let value = tests.count == 1 ? tests[0] : DocumentTree(.list(tests))
        return [
            rule(
                "status \(sample.status) with \(known.joined(separator: " and "))", status: sample.status,
                [("value", value)], meaning, remark: remark)
        ]
    }

    /// Rules for these codes or sentences alone.
    private static func narrow(_ samples: [SampleError], _ meaning: ProblemCode) -> [DocumentTree] {
        guard let sample = samples.first else { return [] }
        let remark = "Guess, from \(Spelling.count(samples.count, "response"))."
        var rules: [DocumentTree] = []
        let codes = Set(samples.compactMap { $0.code?.text }).sorted()
        if let place = sample.code?.place, !codes.isEmpty {
            let value = DocumentTree(.mapping([("at", .text(place)), ("in", texts(codes))]))
            rules.append(
                rule(
                    "\(codes[0])\(codes.count > 1 ? " and others" : "")", status: sample.status,
                    [("value", value)], meaning, remark: remark))
        }
        let sentences = Set(
            samples.compactMap { sample in
                sample.body.isJSON
                    ? sample.body.leaves.first { $0.place == sample.messagePlace }?.text
                    : sample.body.text
            }.filter { !$0.isEmpty && !$0.contains("[redacted]") && $0.utf8.count <= 200 }
        ).sorted()
        if !sentences.isEmpty {
            rules.append(
                rule(
                    "\(meaning.name) by its sentence, status \(sample.status)", status: sample.status,
                    [("message", DocumentTree(.mapping([("equals", texts(sentences))])))], meaning,
                    remark: remark))
        }
        return rules
    }
}
