import CErasure
import TestSupport
import Testing

@testable import MicroHTTPD

@Suite("the zeros that libmicrohttpd writes over a connection's memory")
struct PoolZerosTests {
    private static let size = 16 << 10

    private func erased(_ places: some Sequence<Int>) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: Self.size)
        for place in places { memory[place] = 7 }
        unsafe memory.withUnsafeMutableBytes { unsafe cerasure_erase($0.baseAddress, $0.count) }
        return memory
    }

    @Test("they are written only where there is something else")
    func spared() {
        #expect(PoolZeros.areSpared == !Sanitizer.isOn)
    }

    @Test(
        "nothing is left of what stands at either end",
        arguments: [
            [], [0], [Self.size - 1], [0, 1, 255, 256, 700],
            [Self.size - 700, Self.size - 300, Self.size - 1],
        ])
    func ends(places: [Int]) {
        #expect(erased(places).allSatisfy { $0 == 0 })
    }

    @Test("nothing is left of what fills it, or all but a stretch of it")
    func full() {
        #expect(erased(0..<Self.size).allSatisfy { $0 == 0 })
        #expect(erased([Array(0..<5000), Array(5300..<Self.size)].joined()).allSatisfy { $0 == 0 })
    }

    @Test("the program's own zeros are all written")
    func ours() {
        var memory = [UInt8](repeating: 7, count: Self.size)
        for place in memory.indices where place < 2000 || place > 9000 { memory[place] = 0 }
        let bytes = unsafe memory.withUnsafeMutableBytes { bytes in
            unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
            return unsafe Array(bytes)
        }
        #expect(bytes.allSatisfy { $0 == 0 })
    }
}
