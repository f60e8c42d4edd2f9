import Testing
import Wire

@Suite("lead bytes of UTF-8")
struct UTF8LeadTests {
    @Test("the table accepts the first two bytes that begin a character, and no others")
    func table() {
        for lead in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let tail = UTF8Lead.tail(of: lead)
                let isAccepted = tail?.second.contains(second) ?? false
                // With the right number of bytes behind them, Swift's own decoder is the judge.
                let lengths = (1...3).filter { length in
                    let bytes = [lead, second] + Array(repeating: 0x80, count: length - 1)
                    return String(validating: bytes, as: UTF8.self)?.unicodeScalars.count == 1
                }
                #expect(lengths == (isAccepted ? [tail?.length ?? 0] : []), "\(lead) \(second)")
            }
        }
    }
}
