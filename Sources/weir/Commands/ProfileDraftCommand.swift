internal import ArgumentParser
internal import Configuration
internal import Core

/// `weir profile draft`: a profile from a description of an API.
struct ProfileDraftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draft",
        abstract: "Print a first profile, made from an OpenAPI document.",
        discussion: """
            Reads OpenAPI 3.0 and 3.1, JSON or YAML, in one file. Every guess has a remark; the output passes `weir profile test`.

            Example: weir profile draft openapi.json --name mine > mine.yaml
            """)

    @Argument(help: ArgumentHelp("The OpenAPI document; - for standard input.", valueName: "file"))
    var file: String

    @Option(help: "The name of the profile; default: from the title of the document.")
    var name: String?

    @Option(
        help: ArgumentHelp(
            "A new file for the cases, such as NAME.cases.yaml beside the profile; default: in the profile.",
            valueName: "file"))
    var cases: String?

    private static let sizeLimit = 32 << 20

    mutating func validate() throws {
        if let name, !ProviderConfiguration.isValid(name: name) {
            throw ValidationError(
                "--name must be a lower-case letter, then lower-case letters, digits, - and _, at most 32 in all."
            )
        }
    }

    mutating func run() throws {
        guard let bytes = Files.readBytes(file, limit: Self.sizeLimit) else {
            throw Failure.report("\(file) cannot be read: \(Files.lastError)", Failure.check)
        }
        var sketch: ProfileSketch
        let head: DocumentTree
        do throws(ConfigurationMistakes) {
            guard !bytes.contains(0) else {
                throw ConfigurationMistakes(file: file, reason: "is not text: it has a byte 0")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let reader = try OpenAPIReader(try DocumentTree(parsing: text, file: file), file: file)
            head = try reader.head(name: name)
            sketch = try ProfileSketch(head: head)
            sketch.draft(from: reader.samples, prefix: head["name"]?.string ?? "drafted")
        } catch {
            StandardStreams.printError("\(error)")
            throw Failure.data
        }
        var parts = sketch.parts
        if let path = cases {
            let kept = DocumentTree(.mapping(parts.filter { $0.name == "cases" }))
            parts.removeAll { $0.name == "cases" }
            let text = kept.members.isEmpty ? "cases: []\n" : YAMLPrinter.print(kept)
            guard Files.create(path, Array(text.utf8)) else {
                throw Failure.report("\(path) cannot be created: \(Files.lastError)", Failure.check)
            }
        }
        var text = YAMLPrinter.comment(
            "Drafted by `weir profile draft` from an OpenAPI document: check every line, above all what is called a guess.\n"
                + "docs/profiles.md describes the form of this file. The limits are missing: such documents do not have them."
        )
        text += YAMLPrinter.print(DocumentTree(.mapping(head.members + parts)))
        StandardStreams.print(String(text.dropLast()))
    }
}

extension ProfileSketch {
    /// Adds rules for the documented codes, and a case for each documented error.
    mutating func draft(from samples: [SampleError], prefix: String) {
        learnPlaces(from: samples)
        let coded = samples.filter { $0.code != nil && !($0.code?.text.allSatisfy(\.isNumber) ?? true) }
        let groups = Dictionary(grouping: coded) { "\($0.status) \($0.guess.name)" }
        for (key, group) in groups.sorted(by: { $0.key < $1.key }) {
            guard let sample = group.first else { continue }
            let codes = Set(group.compactMap { $0.code?.text }).sorted()
            let remark = "Guess, from the words of \(Spelling.count(group.count, "documented error"))."
            add(
                [
                    Self.rule(
                        key, status: sample.status, [("code", Self.texts(codes))], sample.guess,
                        remark: remark)
                ], for: group)
        }
        addCases(Array(samples.prefix(200)), prefix: prefix)
    }
}
