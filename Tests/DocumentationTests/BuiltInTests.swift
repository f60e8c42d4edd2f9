import BuiltIn
import Foundation
import Testing

@Suite("the files that are part of the program")
struct BuiltInTests {
    @Test("every profile and schema of Config/ is part of the program, unchanged")
    func files() throws {
        var expected: [String] = []
        for folder in ["Profiles", "Schemas"] {
            let place = Documents.root.appending(path: "Config/\(folder)").path
            expected += try FileManager.default.contentsOfDirectory(atPath: place).map { "\(folder)/\($0)" }
        }
        #expect(BuiltIn.paths == expected.sorted())
        for (name, yaml) in BuiltIn.profiles {
            var text = try Documents.file("Config/Profiles/\(name).yaml")
            #expect(BuiltIn.profile(named: name) == text)
            text += (try? Documents.file("Config/Profiles/\(name).cases.yaml")) ?? ""
            #expect(yaml == text)
        }
        #expect(BuiltIn.profile(named: "unknown") == nil)
    }
}
