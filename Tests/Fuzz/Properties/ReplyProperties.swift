internal import Redis

/// What a Redis server sends.
///
/// However the bytes are cut, the same replies are read, and the same bytes are refused; no reply is larger than the limits.
enum ReplyProperties {
    static func check(_ input: [UInt8]) {
        let whole = read(input, step: max(input.count, 1))
        // Byte by byte, a line is searched for its end each time.
        for step in input.count <= 512 ? [1, 3, 64] : [61, 4096] {
            expect(read(input, step: step) == whole, "cut otherwise, other replies are read")
        }
        for reply in whole.replies { checkSize(reply, depth: 0) }
    }

    private struct Outcome: Equatable {
        var replies: [RedisReply] = []
        var isMalformed = false
    }

    private static func read(_ input: [UInt8], step: Int) -> Outcome {
        var outcome = Outcome()
        var reader = ReplyReader()
        do {
            for start in stride(from: 0, to: input.count, by: step) {
                reader.append(input[start..<min(start + step, input.count)])
                while let reply = try reader.next() { outcome.replies.append(reply) }
            }
        } catch {
            outcome.isMalformed = true
        }
        return outcome
    }

    private static func checkSize(_ reply: RedisReply, depth: Int) {
        switch reply {
        case .bytes(let bytes): expect(bytes.count <= ReplyReader.longestString, "a string is too long")
        case .array(let elements):
            expect(elements.count <= ReplyReader.mostElements, "an array is too long")
            expect(depth < ReplyReader.deepest, "arrays are too deep")
            for element in elements { checkSize(element, depth: depth + 1) }
        case .integer, .null, .error: break
        }
    }
}
