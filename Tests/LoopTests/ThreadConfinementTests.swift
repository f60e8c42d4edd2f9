import Loop
import Testing

@Suite("the confinement of a loop to a thread")
struct ThreadConfinementTests {
    @Test("a loop that is bound to no thread may be used by any")
    func unbound() throws {
        let confinement = ThreadConfinement()
        let other = Answer()
        try LoopThread(name: "other") { other.value = confinement.isKept }.join()
        #expect(confinement.isKept && other.value == true)
    }

    @Test("a loop is confined to the thread that it was bound to")
    func bound() throws {
        var confinement = ThreadConfinement()
        confinement.bind()
        let bound = confinement
        let other = Answer()
        try LoopThread(name: "other") { other.value = bound.isKept }.join()
        #expect(bound.isKept && other.value == false)
    }

    /// Written by a thread that is joined before it is read.
    private final class Answer: @unchecked Sendable { var value: Bool? }

    #if compiler(>=6.3)
        enum Call: String, CaseIterable, Codable, Sendable { case wait, watch, unwatch, forget, bind }

        /// A loop that other threads get hold of.
        private final class Holder: @unchecked Sendable, ReadinessHandler {
            let loop: EventLoop
            init() throws { loop = try EventLoop() }
            func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {}

            func perform(_ call: Call) {
                switch call {
                case .wait: loop.wait(atMost: 0)
                case .watch: try? loop.watch(0, for: .readable, handler: self)
                case .unwatch: loop.unwatch(0)
                case .forget: loop.forget(0)
                case .bind: loop.bindToThread()
                }
            }
        }

        @Test("a call from another thread than the loop's traps", arguments: Call.allCases)
        func violation(call: Call) async {
            await #expect(processExitsWith: .failure) { [call = call as Call] in
                let holder = try Holder()
                try LoopThread(name: "owner") { holder.loop.bindToThread() }.join()
                holder.perform(call)
            }
        }

        @Test("a call from the loop's own thread does not trap", arguments: Call.allCases)
        func own(call: Call) async {
            await #expect(processExitsWith: .success) { [call = call as Call] in
                let holder = try Holder()
                holder.loop.bindToThread()
                holder.perform(call)
            }
        }
    #endif
}
