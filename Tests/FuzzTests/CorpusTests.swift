import Foundation
import FuzzProperties
import Testing

@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    @Test("what held for the inputs that the fuzzer starts from still holds", arguments: FuzzSubject.allCases)
    func corpus(subject: FuzzSubject) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: subject.rawValue), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let input = Array(try Data(contentsOf: file))
            subject.check(input)
            // Broken off anywhere, and with a byte that was not there: what a connection or a disk makes of it.
            for cut in stride(from: 0, to: input.count, by: max(1, input.count / 4)) {
                subject.check(Array(input[..<cut]))
                subject.check(input[..<cut] + [0xFF] + input[cut...])
            }
        }
    }
}
