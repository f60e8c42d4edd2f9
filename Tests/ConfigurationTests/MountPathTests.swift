import Core
import Testing

struct MountPathTests {
    @Test(
        "a path of whole segments is a mount",
        arguments: ["/", "/lemlist", "/v1/a.b", "/a/...", "/@x", "/a:b"])
    func accepted(text: String) throws { #expect(try MountPath(parsing: text).path == text) }

    @Test(
        "anything else is refused",
        arguments: [
            "", "lemlist", "/lemlist/", "//", "//a", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a%20b",
            "/a b", "/a?b",
            "/a#b", "/ä", "/a\n", "/a\\b", "/" + String(repeating: "a", count: 256),
        ])
    func refused(text: String) { #expect(throws: InvalidSetting.self) { try MountPath(parsing: text) } }

    @Test("Weir's own paths are recognised by their first segment")
    func adminPaths() throws {
        for text in ["/-", "/-/errors", "/metrics", "/metrics/x", "/livez", "/readyz"] {
            #expect(try MountPath(parsing: text).overlapsAdminPaths, "\(text)")
        }
        for text in ["/", "/-x", "/metric", "/metricsx", "/x/metrics"] {
            #expect(try !MountPath(parsing: text).overlapsAdminPaths, "\(text)")
        }
    }
}
