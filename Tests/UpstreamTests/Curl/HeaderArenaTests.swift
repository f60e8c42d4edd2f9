import CCurl
import Testing

@testable import Upstream

@Suite("lines for libcurl")
struct HeaderArenaTests {
    private func lines(_ arena: HeaderArena) -> [String] {
        var found: [String] = []
        var node = unsafe arena.first
        while let current = unsafe node {
            if let data = unsafe current.pointee.data { unsafe found.append(String(cString: data)) }
            unsafe node = current.pointee.next
        }
        return found
    }

    private func append(_ name: String, _ value: String, to arena: HeaderArena) {
        arena.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }

    @Test("an empty value is written so that libcurl does not remove the field")
    func emptyValues() {
        let arena = HeaderArena()
        append("A", "b", to: arena)
        append("Empty", "", to: arena)
        arena.append("Expect:")
        #expect(lines(arena) == ["A: b", "Empty;", "Expect:"])
    }

    @Test("lines stay whole beyond a block, and a reset forgets all of them")
    func blocks() {
        let arena = HeaderArena()
        let values = (0..<300).map { String(repeating: "v", count: $0 * 37 % 6000) + "\($0)" }
        for round in 1...2 {
            for value in values { append("X", value, to: arena) }
            #expect(lines(arena) == values.map { "X: \($0)" }, "round \(round)")
            arena.reset()
            #expect(lines(arena).isEmpty)
        }
    }
}
