import Testing

@testable import weir

/// The packages of the image, and those that are named for a program without one.
@Suite("the packages that the program needs")
struct ImageTests {
    /// The names in a line, its quotes, backticks and bars aside.
    private static func names(_ text: Substring) -> Set<String> {
        Set(text.split { " |`\"\t".contains($0) }.map { String($0) })
    }

    @Test(
        "the page on operations names the packages that the image installs",
        arguments: [("bookworm", "Debian 12"), ("trixie", "Debian 13")])
    func packages(codename: String, release: String) throws {
        let image = try Documents.file("Dockerfile").split(separator: "\n")
        let own = try #require(image.first { $0.contains("\(codename)) libraries=") })
            .split(separator: "\"")
        let both = try #require(image.first { $0.contains("$libraries") })
        let installed = Self.names(own[1]).union(
            Self.names(both).filter {
                !$0.hasPrefix("-") && !["&&", "apt-get", "install", "$libraries", "\\"].contains($0)
            })
        #expect(installed.count > 5)
        #expect(!installed.contains { $0.hasPrefix("libmicrohttpd") }, "it is part of the program")

        let row = try #require(
            Documents.file("docs/operations.md").split(separator: "\n").first {
                $0.hasPrefix("| \(release) |")
            })
        #expect(Self.names(row.dropFirst("| \(release) |".count)) == installed)
    }

    @Test("the image is built with the packages that the script installs for a build")
    func buildPackages() throws {
        let script = try Documents.file("Scripts/install-packages")
        let list = try #require(
            script.split(separator: "build=(").dropFirst().first?.split(separator: ")").first)
        let wanted = list.split { " \n".contains($0) }.map { String($0) }
        #expect(wanted.contains("libmicrohttpd-dev"))
        let image = try Documents.file("Dockerfile")
        for package in wanted { #expect(image.contains(" \(package) "), "\(package)") }
    }

    @Test("the image's label names the version that the program prints")
    func version() throws {
        let image = try Documents.file("Dockerfile")
        #expect(image.contains("\nARG VERSION=\(Versions.weir)\n"))
    }
}
