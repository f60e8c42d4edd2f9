import Testing

@testable import Sandbox

@Suite("Bounded table")
struct BoundedTableTests {
    @Test("records stay in order, and the oldest goes when there are too many")
    func number() {
        var table = BoundedTable<JSONValue>()
        for number in 0...BoundedTable<JSONValue>.capacity { table["\(number)"] = .integer(number) }
        #expect(table.count == BoundedTable<JSONValue>.capacity)
        #expect(table["0"] == nil)
        #expect(table.all.first == .integer(1))
        table["1"] = "changed"
        #expect(table.all.first == "changed")
        table["1"] = nil
        #expect(table.all.first == .integer(2))
    }

    @Test("large records push out more than one")
    func size() {
        var table = BoundedTable<JSONValue>()
        let megabyte = String(repeating: "x", count: 1_000_000)
        for name in ["a", "b", "c", "d"] { table[name] = .string(megabyte) }
        #expect(table.count == 4)
        // A record that replaces itself is not counted twice.
        for _ in 0..<10 { table["d"] = .string(megabyte) }
        #expect(table.count == 4)
        table["e"] = .string(megabyte + megabyte)
        #expect(table.all.count == 3)
        #expect(table["c"] != nil)
        table["f"] = .string(String(repeating: "x", count: BoundedTable<JSONValue>.byteLimit))
        #expect(table.count == 0)
    }
}
