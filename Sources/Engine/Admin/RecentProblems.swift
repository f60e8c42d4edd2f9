internal import Locking
internal import Core
internal import Synchronization

/// The last problems that this process has sent: what their `instance` leads to.
///
/// Shared by all workers. Each place has a lock of its own, which is held for a copy of some hundred bytes.
final class RecentProblems: Sendable {
    /// How many are kept.
    static let count = 256

    private final class Place: Sendable {
        let problem = Lock(RecentProblem())
    }

    private let places = (0..<RecentProblems.count).map { _ in Place() }
    private let added = Atomic(0)

    /// Keeps the problem that `exchange` has sent, in place of the oldest.
    func add(_ exchange: Exchange, _ record: ExchangeRecord, at wallNanoseconds: Int64) {
        let number = added.add(1, ordering: .relaxed).newValue
        places[number % Self.count].problem.withLock { problem in
            problem.replace(number: number, by: exchange, record, at: wallNanoseconds)
        }
    }

    /// The latest of the problems whose request's id is spelled so in a path.
    func page(named segment: String) -> AdminPage? {
        let segment = Array(segment.utf8)
        var found: RecentProblem?
        for place in places {
            let problem = place.problem.withLock { $0 }
            guard problem.number > found?.number ?? 0, problem.isNamed(segment) else { continue }
            found = problem
        }
        guard let found else { return nil }
        var output: [UInt8] = []
        found.encode(into: &output, isWhole: true)
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }

    /// All of them, the latest first, without the problems themselves.
    func index() -> AdminPage {
        let all = places.map { $0.problem.withLock { $0 } }.filter { $0.number > 0 }
        var output = Array(#"{"kept":\#(Self.count),"problems":["#.utf8)
        for (index, problem) in all.sorted(by: { $0.number > $1.number }).enumerated() {
            if index > 0 { output.append(0x2C) }
            problem.encode(into: &output, isWhole: false)
        }
        output += Array("]}".utf8)
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }
}
