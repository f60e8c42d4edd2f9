import Testing
import Wire

@Suite("what bytes mean in HTTP")
struct ASCIITests {
    @Test("the characters of a token are those of RFC 9110 5.6.2")
    func tokens() {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let allowed = Set(letters + Array("0123456789!#$%&'*+-.^_`|~".utf8))
        for byte in UInt8.min...UInt8.max { #expect(byte.isTokenCharacter == allowed.contains(byte)) }
    }

    @Test("a value ends at the first control character that is no tab, wherever it stands")
    func values() {
        for byte in UInt8.min...UInt8.max {
            let isAllowed = byte == 0x09 || byte >= 0x20 && byte != 0x7F
            for position in 0..<37 {
                var bytes = Array("text/html;\tcharset=\"\u{E9}\"; q=0.5, a/b; c=d".utf8.prefix(37))
                bytes[position] = byte
                #expect(end(bytes, 0) == (isAllowed ? 37 : position))
                #expect(end(bytes, position + 1) == 37)
            }
        }
    }

    @Test("names are the same whatever the case of their letters, and of nothing else", arguments: 0..<20)
    func names(length: Int) {
        let name = Array("x-content-type-2@[`{".utf8.prefix(length))
        #expect(areSame(name, name.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }))
        #expect(!areSame(name, name + [0x61]))
        for position in 0..<length {
            var (left, right) = (name, name)
            for byte in UInt8.min...UInt8.max {
                for other in [byte, byte ^ 0x20, byte ^ 0x80, byte ^ 0xA0, byte &+ 1] {
                    (left[position], right[position]) = (byte, other)
                    let areSame = byte == other || byte ^ other == 0x20 && (byte | 0x20) &- 0x61 < 26
                    #expect(self.areSame(left, right) == areSame)
                }
            }
        }
    }

    // The macro cannot take a span apart.
    private func end(_ bytes: [UInt8], _ start: Int) -> Int { bytes.span.endOfFieldValue(from: start) }

    private func areSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.span.equalsIgnoringCase(right.span)
    }
}
