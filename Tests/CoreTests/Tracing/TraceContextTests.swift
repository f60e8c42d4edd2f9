import Core
import Testing
import Wire

@Suite("the trace that a request belongs to")
struct TraceContextTests {
    private static let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private func read(_ text: String) -> TraceContext? { TraceContext(traceparent: Array(text.utf8).span) }

    @Test("traceparent has the trace, the caller's span and whether it is recorded")
    func fields() throws {
        let context = try #require(read(Self.valid))
        #expect(context.trace.description == "4bf92f3577b34da6a3ce929d0e0e4736" && context.isSampled)
        #expect(context.parent?.bits == 0x00f0_67aa_0ba9_02b7)
        var text: [UInt8] = []
        context.appendTraceparent(span: try #require(context.parent), to: &text)
        #expect(String(decoding: text, as: UTF8.self) == Self.valid)
        #expect(read(String(Self.valid.dropLast()) + "0")?.isSampled == false)
        #expect(read(String(Self.valid.dropLast(2)) + "fe")?.isSampled == false)
        #expect(read(String(Self.valid.dropLast(2)) + "ff")?.isSampled == true)
    }

    @Test(
        "a later version may have more behind a dash",
        arguments: ["cc" + valid.dropFirst(2), "cc" + valid.dropFirst(2) + "-what-is-new"])
    func later(text: String) { #expect(read(text)?.isSampled == true) }

    @Test(
        "anything else is no trace",
        arguments: [
            "", "00", "ff" + valid.dropFirst(2), valid + "-x", valid + " ", "cc" + valid.dropFirst(2) + "x",
            "0g" + valid.dropFirst(2), valid.uppercased(),
            valid.replacing("4bf92f3577b34da6a3ce929d0e0e4736", with: String(repeating: "0", count: 32)),
            valid.replacing("00f067aa0ba902b7", with: "0000000000000000"), valid.replacing("-", with: "_"),
            String(valid.dropLast()), valid.replacing("4bf9", with: "4bF9"),
            valid.replacing("-01", with: "-0x"),
        ])
    func invalid(text: String) { #expect(read(text) == nil) }

    @Test("a share of the traces that begin here is recorded, and each has other ids")
    func sampling() throws {
        var ids = TraceIDGenerator(seed: 7)
        for (text, expected) in [("0%", 0...0), ("100%", 4000...4000), ("10%", 300...500), ("0.5%", 5...40)] {
            let rate = try SamplingRate(parsing: text)
            let roots = (0..<4000).map { _ in ids.root(rate) }
            #expect(expected.contains(roots.filter(\.isSampled).count), "\(text)")
            #expect(Set(roots.map(\.trace)).count == 4000 && roots.allSatisfy { $0.parent == nil })
        }
        #expect(Set((0..<4000).map { _ in ids.span() }).count == 4000)
    }

    @Test("a share has up to four digits behind the point")
    func shares() throws {
        for (text, millionths) in [
            ("10%", 100_000), ("0.0001%", 1), ("33.3%", 333_000), ("100.0%", 1_000_000), ("007%", 70_000),
        ] {
            #expect(try SamplingRate(parsing: text).millionths == millionths)
        }
    }

    @Test(
        "what is no share from 0% to 100% is a mistake",
        arguments: [
            "", "%", "10", "0.1", "101%", "100.0001%", "-1%", "1e1%", "1.%", ".5%", "1.23456%", "10 %",
            "ten%", "1.2.3%", "+1%", "0010%",
        ])
    func mistakes(text: String) {
        #expect(throws: InvalidSetting.self) { try SamplingRate(parsing: text) }
    }
}
