import Core
import Testing

@testable import Sandbox

@Suite("Strict window")
struct StrictWindowTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("one request more than the limit is refused, wherever the window begins")
    func oneMoreIsRefused() {
        var window = StrictWindow(limit: 3, length: .seconds(1))
        #expect([0, 400, 800].allSatisfy { window.admit(at: time($0)).isAdmitted })
        #expect(!window.admit(at: time(999)).isAdmitted)
        // The first request counts no more, the other two do.
        #expect(window.admit(at: time(1000)).isAdmitted)
        #expect(!window.admit(at: time(1399)).isAdmitted)
        #expect(window.admit(at: time(1400)).isAdmitted)
    }

    @Test("a refused request does not keep the window closed")
    func refusalsDoNotCount() {
        var window = StrictWindow(limit: 1, length: .seconds(1))
        #expect(window.admit(at: time(0)).isAdmitted)
        for moment in stride(from: Int64(100), to: 1000, by: 100) {
            #expect(!window.admit(at: time(moment)).isAdmitted)
        }
        #expect(window.admit(at: time(1000)).isAdmitted)
    }

    @Test("a window says how many requests are left, and when the oldest leaves it")
    func tellsItsState() {
        var window = StrictWindow(limit: 2, length: .seconds(2))
        #expect(window.admit(at: time(0)) == .init(isAdmitted: true, remaining: 1, untilReset: .seconds(2)))
        #expect(
            window.admit(at: time(500))
                == .init(isAdmitted: true, remaining: 0, untilReset: .milliseconds(1500)))
        #expect(
            window.admit(at: time(600))
                == .init(isAdmitted: false, remaining: 0, untilReset: .milliseconds(1400)))
    }

    @Test("keys have windows of their own, and more keys than are told apart share one")
    func keysAreBounded() {
        var windows = KeyedWindows(limit: 1, length: .seconds(1))
        for key in 0..<KeyedWindows.capacity { #expect(windows.admit("\(key)", at: time(0)).isAdmitted) }
        #expect(!windows.admit("0", at: time(1)).isAdmitted)
        #expect(windows.admit("x", at: time(1)).isAdmitted)
        #expect(!windows.admit("y", at: time(1)).isAdmitted)
        // Windows in which nothing counts any more make room.
        #expect(windows.admit("y", at: time(2000)).isAdmitted)
        #expect(windows.admit("z", at: time(2000)).isAdmitted)
    }
}
