import Testing
import Wire

struct PlainBytesTests {
    @Test("a run ends at the first byte that does not mean itself in JSON, wherever it stands")
    func runs() {
        for byte in UInt8.min...UInt8.max {
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
            for position in 0..<20 {
                var bytes = Array("_validation~error 0:".utf8)
                bytes[position] = byte
                #expect(end(bytes, 0) == (isPlain ? 20 : position))
                #expect(end(bytes, position) == (isPlain ? 20 : position))
                #expect(end(bytes, position + 1) == 20)
            }
        }
    }

    @Test("a pair is found at every place, and only if its bytes are neighbours")
    func pairs() {
        for length in 0..<28 {
            var bytes = Array(repeating: UInt8(ascii: "l"), count: length)
            #expect(pair(bytes, 0x6C, 0x74) == length)
            for position in 0..<length {
                bytes[position] = 0x74
                #expect(pair(bytes, 0x6C, 0x74) == (position > 0 ? position - 1 : length))
                #expect(pair(bytes, 0x6C, 0x74, from: position) == length)
                #expect(pair(bytes, 0x74, 0x74) == length)
                bytes[position] = 0x6C
            }
        }
    }

    @Test("bytes and literals are added behind what is there")
    func additions() {
        var bytes = Array("a".utf8)
        bytes.append(literal: "")
        bytes.append(literal: "bé")
        bytes.append(Array("xcdx".utf8).span.extracting(1..<3))
        #expect(bytes == Array("abécd".utf8))
    }

    // The macro cannot take a span apart.
    private func end(_ bytes: [UInt8], _ start: Int) -> Int { bytes.span.endOfPlainRun(from: start) }

    private func pair(_ bytes: [UInt8], _ first: UInt8, _ second: UInt8, from start: Int = 0) -> Int {
        bytes.span.index(ofPair: first, second, from: start)
    }
}
