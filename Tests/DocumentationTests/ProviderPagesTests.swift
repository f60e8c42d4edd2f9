import BuiltIn
import Foundation
import TestSupport
import Testing

@Suite("the pages about providers", .blocking)
struct ProviderPagesTests {
    @Test("each page is what the program prints", arguments: BuiltIn.profileNames)
    func page(name: String) throws {
        let outcome = try Subprocess.run(WeirBinary.path, ["profile", "page", name])
        let isSame = try Documents.file("docs/providers/\(name).md") == outcome.output
        #expect(isSame, "renew it: Scripts/provider-pages")
    }

    @Test("the index is what the program prints, and there is no page besides")
    func index() throws {
        let outcome = try Subprocess.run(WeirBinary.path, ["profile", "page"])
        #expect(
            try Documents.file("docs/providers/README.md") == outcome.output,
            "renew it: Scripts/provider-pages")
        let folder = Documents.root.appending(path: "docs/providers").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.sorted() == (BuiltIn.profileNames + ["README"]).map { "\($0).md" }.sorted())
    }
}
