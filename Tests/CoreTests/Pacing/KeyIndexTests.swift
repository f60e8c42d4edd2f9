import Testing

@testable import Core

@Suite("the index of keys")
struct KeyIndexTests {
    @Test("it finds what a dictionary finds, while it grows, shrinks and grows again")
    func likeADictionary() {
        var numbers = SeededNumbers(seed: 5)
        var index = KeyIndex()
        var dictionary: [LedgerKey: Int32] = [:]
        var vacant = Array(Int32(0)..<3000)
        for step in 0..<20_000 {
            // Small numbers, which differ in their low bits only, and large ones.
            let hash =
                step % 2 == 0
                ? UInt64.random(in: 0..<2000, using: &numbers)
                : UInt64.random(in: 0..<2000, using: &numbers) << 52
            let key = LedgerKey(hash: hash)
            #expect(index[key] == dictionary[key])
            let grows = (step / 5000) % 2 == 0
            if let ledger = dictionary[key], !grows || numbers.happens(0.1) {
                #expect(index.key(of: ledger) == key)
                index.remove(ledger)
                dictionary[key] = nil
                vacant.append(ledger)
            } else if dictionary[key] == nil, grows, let ledger = vacant.popLast() {
                index.insert(key, ledger: ledger)
                dictionary[key] = ledger
            }
            #expect(index.count == dictionary.count)
        }
        for (key, ledger) in dictionary { #expect(index[key] == ledger) }
    }
}
