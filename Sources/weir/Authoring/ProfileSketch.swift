internal import BuiltIn
internal import Configuration
internal import Core

/// An error from which a profile is made: seen, or documented.
struct SampleError {
    var request = (method: "GET", path: "/")
    var status: Int
    var contentType: String?
    var body: CleanBody
    /// How certain it is, as in a case: `observed_live`, `documented`, `inferred`.
    var confidence: String
    /// Where it is from.
    var source: String?

    /// The provider's code, and its place.
    var code: (place: String, text: String)? {
        guard let place = ErrorGuess.codePlace(in: body.leaves, status: status),
            let leaf = body.leaves.first(where: { $0.place == place })
        else { return nil }
        return (place, leaf.text)
    }

    /// The place of the sentence.
    var messagePlace: String? { ErrorGuess.messagePlace(in: body.leaves) }

    /// Which code its words suggest.
    var guess: ProblemCode {
        let leaves = body.leaves.filter { $0.place == code?.place || $0.place == messagePlace }
        let text = body.isJSON ? leaves.map(\.text).joined(separator: " ") : body.text
        return ErrorGuess.code(status: status, text: text)
    }
}

/// A profile in the making: rules and cases that have been tried out, so that `weir profile test` passes.
struct ProfileSketch {
    private let generic: Profile
    private let head: DocumentTree
    private(set) var read = DocumentTree(.mapping([]))
    private(set) var rules: [DocumentTree] = []
    private(set) var cases: [DocumentTree] = []

    /// - Parameter head: the profile without `read`, `rules` and `cases`.
    init(head: DocumentTree) throws(ConfigurationMistakes) {
        self.head = head
        generic =
            try ProfileReader.builtIn([
                (name: "generic", yaml: BuiltIn.profileWithCases(named: "generic") ?? "")
            ])
            .first ?? Profile(name: "generic")
    }

    /// What was made, without the head.
    var parts: [(name: String, value: DocumentTree)] {
        var parts: [(name: String, value: DocumentTree)] = []
        if !read.members.isEmpty { parts.append(("read", read)) }
        if !rules.isEmpty { parts.append(("rules", DocumentTree(.list(rules)))) }
        if !cases.isEmpty { parts.append(("cases", DocumentTree(.list(cases)))) }
        return parts
    }

    private func profile(_ read: DocumentTree, _ rules: [DocumentTree]) -> Profile? {
        var tree = head
        tree["read"] = read.members.isEmpty ? nil : read
        tree["rules"] = rules.isEmpty ? nil : DocumentTree(.list(rules))
        return try? ProfileReader.read(text: YAMLPrinter.print(tree), file: "draft.yaml", generic: generic)
    }

    /// Whether every recorded case of the generic profile still comes out as it must.
    private func keepsGeneric(_ profile: Profile) -> Bool {
        let normalizer = ErrorNormalizer(profile: profile)
        return generic.cases.allSatisfy { recorded in
            !recorded.isEverywhere
                || recorded.run(with: normalizer, on: ProfileTesting.answer(recorded)).isEmpty
        }
    }

    /// Says where codes and sentences are, the most frequent places first.
    mutating func learnPlaces(from samples: [SampleError]) {
        for (key, places) in [
            ("message", samples.compactMap(\.messagePlace)), ("code", samples.compactMap { $0.code?.place }),
        ] {
            var counts: [String: Int] = [:]
            for place in places { counts[place, default: 0] += 1 }
            let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8).map(\.key)
            guard !sorted.isEmpty else { continue }
            var next = read
            let values = sorted.map { DocumentTree.text($0) }
            next[key] = values.count == 1 ? values[0] : DocumentTree(.list(values))
            if let profile = profile(next, []), keepsGeneric(profile) { read = next }
        }
    }

    /// Adds the first of these rules that leaves the generic cases alone and decides about a sample.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    mutating func add(_ candidates: [DocumentTree], for samples: [SampleError]) -> Bool {
        for candidate in candidates {
            guard let profile = profile(read, rules + [candidate]), keepsGeneric(profile) else { continue }
            let normalizer = ErrorNormalizer(profile: profile)
            let decides = samples.contains { sample in
                normalizer.rule(for: Self.answer(sample), of: Self.facts(sample)) == rules.count
            }
            guard decides else { continue }
            rules.append(candidate)
            return true
        }
        return false
    }

    /// Adds a case for each sample, with what it becomes.
    ///
    /// - Parameter prefix: how their ids begin.
    mutating func addCases(_ samples: [SampleError], prefix: String) {
        guard let profile = profile(read, rules) else { return }
        let normalizer = ErrorNormalizer(profile: profile)
        for sample in samples {
            var recorded = ProfileCase(id: "a", name: "a", status: sample.status)
            recorded.request = sample.request
            if let type = sample.contentType { recorded.addField("Content-Type", type) }
            recorded.body = Array(sample.body.text.utf8)
            guard
                let error = normalizer.normalize(
                    ProfileTesting.answer(recorded), of: Self.facts(sample), at: Int64(1_795_132_800))
            else { continue }
            var expect: [(name: String, value: DocumentTree)] = [
                ("code", .text(error.code.name)), ("transient", .plain(error.isTransient ? "yes" : "no")),
            ]
            if !error.fields.isEmpty {
                let fields = error.fields.map { field in
                    DocumentTree(
                        .mapping([
                            ("field", .text(field.field.string)),
                            ("detail", .text(field.detail?.string ?? "")),
                        ]))
                }
                expect.append(("fields", DocumentTree(.list(fields))))
            }
            if let wait = error.retryAfter { expect.append(("retry_after", .plain("\(wait)"))) }
            var members: [(name: String, value: DocumentTree)] = [
                ("id", .text("\(prefix)-\(cases.count + 1)")),
                ("name", .text("\(error.code.name), status \(sample.status)")),
                ("request", .text("\(sample.request.method) \(sample.request.path)")),
                ("status", .plain("\(sample.status)")),
            ]
            if let type = sample.contentType {
                members.append(("headers", DocumentTree(.mapping([("Content-Type", .text(type))]))))
            }
            if !sample.body.text.isEmpty { members.append(("body", .text(sample.body.text))) }
            members.append(("expect", DocumentTree(.mapping(expect))))
            members.append(("confidence", .text(sample.confidence)))
            if let source = sample.source { members.append(("source", .text(source))) }
            cases.append(DocumentTree(.mapping(members)))
        }
        dropFailing()
    }

    /// Drops rules that no case reaches and cases that a `$` of theirs makes unreadable.
    private mutating func dropFailing() {
        cases.removeAll { entry in
            let file = DocumentTree(.mapping([("cases", DocumentTree(.list([entry])))]))
            return (try? ProfileReader.readCases(text: YAMLPrinter.print(file), file: "cases.yaml")) == nil
        }
        let file = DocumentTree(.mapping([("cases", DocumentTree(.list(cases)))]))
        guard !rules.isEmpty, let profile = profile(read, rules),
            let recorded = try? ProfileReader.readCases(text: YAMLPrinter.print(file), file: "cases.yaml")
        else { return }
        let normalizer = ErrorNormalizer(profile: profile)
        var reached: Set<Int> = []
        for entry in recorded {
            let facts = RequestFacts(method: entry.request.method, path: entry.request.path)
            normalizer.rule(for: ProfileTesting.answer(entry), of: facts).map { _ = reached.insert($0) }
        }
        rules = rules.indices.filter(reached.contains).map { rules[$0] }
    }

    private static func facts(_ sample: SampleError) -> RequestFacts {
        RequestFacts(method: sample.request.method, path: sample.request.path)
    }

    private static func answer(_ sample: SampleError) -> ProviderAnswer {
        var recorded = ProfileCase(id: "a", name: "a", status: sample.status)
        if let type = sample.contentType { recorded.addField("Content-Type", type) }
        recorded.body = Array(sample.body.text.utf8)
        return ProfileTesting.answer(recorded)
    }

    /// A rule, with a remark above it.
    static func rule(
        _ name: String, status: Int, _ conditions: [(name: String, value: DocumentTree)], _ code: ProblemCode,
        remark: String
    ) -> DocumentTree {
        let when = [("status", DocumentTree.plain("\(status)"))] + conditions
        return DocumentTree(
            .mapping([
                ("name", .text(name)), ("when", DocumentTree(.mapping(when))), ("is", .text(code.name)),
            ]), comment: remark)
    }

    /// One text, or a list of them.
    static func texts(_ texts: [String]) -> DocumentTree {
        texts.count == 1 ? .text(texts[0]) : DocumentTree(.list(texts.map { .text($0) }))
    }
}
