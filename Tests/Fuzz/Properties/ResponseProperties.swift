internal import Upstream
internal import Wire

/// A byte that says whether the request was a HEAD (its lowest bit) and how large the pieces are, then what a provider sends.
///
/// However the bytes are cut, the answer is the same; what is read of the body lies in the piece, and is no more than came; no field
/// that is handed on could end a line; and a whole answer, written again with a length, is read as the same.
enum ResponseProperties {
    /// What a parser made of the bytes.
    private struct Outcome: Equatable {
        var status = 0
        var fields: [[UInt8]] = []
        var body: [UInt8] = []
        /// `needsMore`, `complete`, or the fault.
        var ending = ""
        /// How many bytes were read.
        var used = 0
    }

    static func check(_ input: [UInt8]) {
        guard let flags = input.first else { return }
        let bytes = Array(input[1...])
        let isHead = flags & 1 == 1
        let whole = read(bytes, isHead: isHead, piece: bytes.count)
        for piece in [1, 1 + Int(flags >> 1)] {
            let parted = read(bytes, isHead: isHead, piece: piece)
            // A fault may be found a little earlier or later in a line that came in parts, but it is found.
            if whole.ending == "needsMore" || whole.ending == "complete" || parted.ending == "complete" {
                expect(parted == whole, "in pieces of \(piece) it is another answer: \(parted) and \(whole)")
            }
        }
        expect(whole.used <= bytes.count, "more was read than came")
        if whole.ending == "complete", !isHead { checkRepeated(whole) }
    }

    private static func read(_ bytes: [UInt8], isHead: Bool, piece: Int) -> Outcome {
        var parser = ResponseParser()
        let head = ResponseHead()
        parser.begin(isHead: isHead)
        var outcome = Outcome()
        var start = 0
        while start < bytes.count, outcome.ending.isEmpty {
            let part = Array(bytes[start..<min(bytes.count, start + max(piece, 1))])
            outcome.used = start + feed(part, to: &parser, head, &outcome)
            start += part.count
        }
        if outcome.ending.isEmpty { outcome.ending = "needsMore" }
        if head.isComplete {
            outcome.status = head.status
            head.fields.forEach { name, value in
                outcome.fields.append(copy(name))
                outcome.fields.append(copy(value))
            }
        }
        return outcome
    }

    /// Gives the parser one piece, and returns how much of it was read.
    private static func feed(
        _ part: [UInt8], to parser: inout ResponseParser, _ head: ResponseHead, _ outcome: inout Outcome
    ) -> Int {
        var position = 0
        // Each event but the last two takes a byte or changes the state.
        for _ in 0..<(2 * part.count + 8) {
            let before = position
            let event = parser.next(in: part.span, at: &position, into: head)
            expect(position >= before && position <= part.count, "the position has left the piece")
            switch event {
            case .needsMore:
                expect(position == part.count, "it wants more, and has not read all")
                return position
            case .interim:
                expectClean(head, statuses: 102...199)
                head.endInterim()
            case .head: expectClean(head, statuses: 200...999)
            case .body(let range):
                expect(range.lowerBound >= before && range.upperBound <= position, "a body outside the piece")
                expect(head.isComplete, "a body before the head")
                outcome.body += part[range]
            case .complete:
                outcome.ending = "complete"
                return position
            case .invalid(let fault):
                outcome.ending = "\(fault)"
                return position
            }
        }
        fatalError("the parser does not come to an end")
    }

    private static func expectClean(_ head: ResponseHead, statuses: ClosedRange<Int>) {
        expect(statuses.contains(head.status), "the status \(head.status)")
        expect(head.fields.byteCount <= head.limit, "a head beyond the limit")
        head.fields.forEach { name, value in
            expect(name.isToken, "a name is no token")
            for index in 0..<value.count where value[index].isForbiddenInFieldValue {
                fatalError("a value has a control character")
            }
        }
    }

    private static func checkRepeated(_ answer: Outcome) {
        var bytes = Array("HTTP/1.1 \(answer.status) \r\n".utf8)
        for index in stride(from: 0, to: answer.fields.count, by: 2) {
            let name = answer.fields[index]
            if name.span.equalsIgnoringCase("content-length")
                || name.span.equalsIgnoringCase("transfer-encoding")
            {
                continue
            }
            bytes += name + [0x3A] + answer.fields[index + 1] + [0x0D, 0x0A]
        }
        if answer.status != 204, answer.status != 304 {
            bytes += Array("Content-Length: \(answer.body.count)\r\n".utf8)
        }
        let again = read(bytes + [0x0D, 0x0A] + answer.body, isHead: false, piece: bytes.count)
        expect(
            again.ending == "complete" && again.status == answer.status && again.body == answer.body,
            "written again, it is another answer: \(again)")
    }

    private static func copy(_ span: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<span.count { bytes.append(span[index]) }
        return bytes
    }
}
