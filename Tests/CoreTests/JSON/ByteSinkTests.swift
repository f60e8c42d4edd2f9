import Core
import TestSupport
import Testing
import Wire

@Suite("what bytes are written to")
struct ByteSinkTests {
    private func write(_ count: Int, to output: inout some ByteSink & ~Copyable) {
        for number in 0..<count {
            output.append(literal: #"{"n":"#)
            JSONWriter.integer(number, into: &output)
            output.append(0x2C)
            JSONWriter.string("a \"quoted\" text of more than sixteen bytes, \(number)", into: &output)
            output.append(Array("}\n".utf8))
        }
    }

    @Test("a queue holds what an array does, however much is written", arguments: [0, 1, 40, 2000])
    func queueAndArray(count: Int) {
        var array: [UInt8] = []
        write(count, to: &array)
        var queue = ByteQueue()
        write(count, to: &queue)
        #expect(queue.count == array.count)
        #expect(queue.bytes == array)
        queue.removeAll()
        write(1, to: &queue)
        #expect(String(decoding: queue.bytes, as: UTF8.self).hasPrefix(#"{"n":0,"a \"quoted\""#))
    }

    @Test("a problem is the same in a queue and in an array")
    func problem() throws {
        let body =
            #"{"message":"é \"quoted\"\n","errors":{"to[0].naïve":["It's required."],"a/b":["taken"]}}"#
        let error = try NormalizerFixture("lettr", 422, body).error()
        let array = ProblemSchema.encode(Problem(error, provider: "p", requestID: "r"))
        var queue = ByteQueue()
        Problem(error, provider: "p", requestID: "r").encode(into: &queue, as: ProblemSchema.format)
        #expect(queue.bytes == array)
    }

    @Test("a set of characters holds letters, digits, and what was said")
    func characters() {
        let set = ASCIISet(alphanumericsAnd: "-.~@")
        for byte in UInt8.min...UInt8.max {
            let isSaid = "-.~@".utf8.contains(byte)
            #expect(set.contains(byte) == (byte.isASCIILetter || byte.isASCIIDigit || isSaid))
        }
    }

    @Test("bytes are the same only if all of them are")
    func equality() {
        for length in 0..<20 {
            let bytes = Array(repeating: UInt8(ascii: "a"), count: length)
            #expect(same(bytes, bytes))
            #expect(!same(bytes, bytes + [0x61]))
            for position in 0..<length {
                var other = bytes
                other[position] = 0x41
                #expect(!same(bytes, other))
            }
        }
    }

    // The macro cannot take a span apart.
    private func same(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.span.equals(right.span) }

    @Test("chosen fields of another block come behind those that are there, each as it was")
    func fields() {
        var source = FieldBlock()
        for (name, value) in [("Server", "s"), ("Connection", "close"), ("Date", ""), ("X-Long", " v ")] {
            source.append(name, value)
        }
        var target = FieldBlock()
        target.append("Content-Type", "text/plain")
        target.append(source) { name, value in !name.equalsIgnoringCase("connection") && value.count != 9 }
        target.append("Last", "l")
        var seen: [String] = []
        target.forEach { seen.append("\($0.string): \($1.string)") }
        #expect(seen == ["Content-Type: text/plain", "Server: s", "Date: ", "X-Long:  v ", "Last: l"])
        #expect(target.first("date") == "" && target.first("connection") == nil)
        #expect(target.byteCount == 47)
        let range = target.rangeOfFirstValue(of: Array("x-long".utf8).span)
        #expect(range.map { Array(target.storage[$0]) } == [0x76])
        #expect(target.rangeOfFirstValue(of: Array("x-lon".utf8).span) == nil)
    }

    @Test(
        "values that are written or go on are whole, and so are those around them",
        arguments: [0, 1, 30, 5000])
    func writtenValues(length: Int) {
        let long = String(repeating: "v", count: length)
        var fields = FieldBlock()
        // The second time in memory that holds others.
        for _ in 1...2 {
            fields.removeAll()
            fields.append("First", "1")
            fields.append(name: Array("Written".utf8)) { value in
                value.append(literal: "a")
                value.append(Array(long.utf8))
                value.append(0x62)
            }
            fields.continueLastValue(with: Array(long.utf8).span)
            var others = FieldBlock()
            others.append("Other", long)
            fields.append(others) { _, _ in true }
            fields.continueLastValue(with: Array("folded".utf8).span)
            fields.append("Last", "")
            var seen: [String] = []
            fields.forEach { seen.append("\($0.string): \($1.string)") }
            #expect(
                seen == ["First: 1", "Written: a\(long)b \(long)", "Other: \(long) folded", "Last: "])
            var terminated: [String] = []
            unsafe fields.forEachTerminated {
                unsafe terminated.append(String(cString: $0) + ": " + String(cString: $1))
            }
            #expect(terminated == seen)
            #expect(fields.count == 4)
            #expect(fields.byteCount == seen.reduce(0) { $0 + $1.utf8.count - 2 })
        }
    }
}
