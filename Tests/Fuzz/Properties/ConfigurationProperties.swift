internal import Configuration
internal import Core

/// A configuration file.
///
/// It is read, or all of its mistakes are told: each on one line, with a place that is in the file, and never with a secret.
enum ConfigurationProperties {
    static let secret = "hush-4711"
    /// What ends a line in YAML 1.1.
    static let lineEnds: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]

    /// One variable, one file, both secret.
    static let surroundings = Surroundings(
        variable: { $0 == "KEY" ? secret : nil }, file: { $0 == "/key" ? secret : nil })

    static func check(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        let lineCount = text.unicodeScalars.count { lineEnds.contains($0) } + 2
        do {
            let configuration = try read(text)
            expect(!configuration.providers.isEmpty, "nothing to forward to")
            let names = configuration.providers.map(\.name)
            expect(Set(names).count == names.count, "two providers have one name")
            let again = try read(text)
            expect(again == configuration, "two readings differ")
        } catch {
            expectReadable(error, lineCount: lineCount, text: text)
        }
    }

    private static func read(_ text: String) throws(ConfigurationMistakes) -> ProxyConfiguration {
        try ConfigurationReader.read(
            text: text, file: "weir.yaml", surroundings: surroundings,
            profiles: { name in
                BuiltInSubjects.profiles.first { $0.name == name }.map {
                    ProfileDefaults($0)
                }
            })
    }

    /// Traps if a mistake could not be shown to a person as it is.
    static func expectReadable(_ mistakes: ConfigurationMistakes, lineCount: Int, text: String) {
        expect(!mistakes.all.isEmpty, "refused without a mistake")
        for mistake in mistakes.all {
            expect(!mistake.reason.isEmpty, "a mistake without a reason")
            expect(mistake.line >= 0 && mistake.line <= lineCount, "no such line: \(mistake)")
            let line = mistake.description
            expect(!line.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a mistake of several lines: \(line)")
            // A file that spells the secret itself may be quoted.
            expect(text.contains(secret) || !line.contains(secret), "a mistake tells a secret: \(line)")
        }
    }
}
