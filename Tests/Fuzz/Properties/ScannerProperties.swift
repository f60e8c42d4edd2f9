import Wire

/// What a client sends, as it comes: requests with their bodies, one behind the other.
///
/// The verdict does not depend on where the bytes are cut, and what has passed would pass again as it is: nothing is left in it that
/// another parser could read differently. And of a head, of trailers, and of what stands around chunks, no more is read than a stated
/// number of bytes, whether it passes or not.
enum ScannerProperties {
    static func check(_ input: [UInt8]) {
        _ = passes(input)
        expectBounds(input)
    }

    private static let limits = RequestScanner.Limits(
        target: 8192, fieldBytes: 12_288, fieldCount: 200, head: 1 << 16, fieldOverhead: 64, body: 1 << 26)
    /// Limits that small inputs reach.
    private static let smallLimits = RequestScanner.Limits(
        target: 64, fieldBytes: 96, fieldCount: 8, head: 256, fieldOverhead: 8, body: 1 << 26)

    /// Counts, one byte at a time, what is read of each head, and of each request besides what passes.
    private static func expectBounds(_ input: [UInt8]) {
        var scanner = RequestScanner(limits: smallLimits)
        var (head, dropped, passed) = (0, 0, 0)
        for byte in input {
            let requests = scanner.completeRequests
            var piece = [byte]
            var span = piece.mutableSpan
            let count = scanner.scan(&span)
            if scanner.fault != nil { break }
            head = scanner.isInHead || scanner.isBetweenRequests ? head + 1 : 0
            expect(head <= smallLimits.head, "a head is longer than its limit")
            (dropped, passed) = (dropped + 1 - count, passed + count)
            // Blanks behind a length, extensions, trailers: the last chunk's line passes, and two bytes for each byte of a chunk may not.
            let most = 2 * smallLimits.head + RequestScanner.extensionTotal + 2 * passed
            expect(dropped <= most, "more than its limit does not pass of a request")
            if scanner.completeRequests > requests { (head, dropped, passed) = (0, 0, 0) }
        }
    }

    /// Whether all of it comes through the scanner.
    static func passes(_ bytes: [UInt8]) -> Bool {
        let whole = scan(bytes, pieces: max(1, bytes.count))
        for size in [1, 7] {
            let pieces = scan(bytes, pieces: size)
            expect(pieces.fault == whole.fault, "the verdict depends on where the bytes are cut")
            expect(pieces.requests == whole.requests, "how many requests there are depends on the cut")
            expect(pieces.fault != nil || pieces.passed == whole.passed, "what passes depends on the cut")
        }
        guard whole.fault == nil else { return false }
        let again = scan(whole.passed, pieces: max(1, whole.passed.count))
        expect(again.fault == nil && again.passed == whole.passed, "what has passed does not pass again")
        expect(again.requests == whole.requests, "what has passed is another number of requests")
        return true
    }

    private static func scan(
        _ bytes: [UInt8], pieces size: Int
    ) -> (passed: [UInt8], fault: RequestFault?, requests: Int) {
        var scanner = RequestScanner(limits: limits)
        var passed: [UInt8] = []
        var start = 0
        while start < bytes.count, scanner.fault == nil {
            var piece = Array(bytes[start..<min(bytes.count, start + size)])
            var span = piece.mutableSpan
            let count = scanner.scan(&span)
            passed += piece[..<count]
            start += size
        }
        return (shown(passed), scanner.fault, scanner.completeRequests)
    }

    /// With the name of each cookie as it was; the same bytes in a body do no harm.
    private static func shown(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { byte in
            switch byte {
            case RequestScanner.hiddenCookie.small: 0x65
            case RequestScanner.hiddenCookie.capital: 0x45
            default: byte
            }
        }
    }
}
