internal import Core
internal import Downstream
internal import Locking
internal import Synchronization
internal import Wire

/// The last problems that this process has sent, for the pages that their `instance` links to.
///
/// Shared by all workers. Each entry has its own lock, which is held while a few hundred bytes are copied.
final class RecentProblems: Sendable {
    /// How many problems are kept.
    static let count = 256

    private final class Place: Sendable {
        let problem = Lock(RecentProblem())
    }

    private let places = (0..<RecentProblems.count).map { _ in Place() }
    private let added = Atomic(0)

    /// Stores the problem that `exchange` has sent in place of the oldest one.
    func add(_ exchange: Exchange, _ record: ExchangeRecord, at wallNanoseconds: Int64) {
        let number = added.add(1, ordering: .relaxed).newValue
        places[number % Self.count].problem.withLock { problem in
            problem.replace(number: number, by: exchange, record, at: wallNanoseconds)
        }
    }

    /// The latest problem whose request id has this spelling in a path.
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

    /// All problems, newest first, without their bodies.
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

/// A problem that was sent and facts about its request, without query, header fields and body.
struct RecentProblem {
    /// Longer paths are truncated.
    private static let pathLimit = 1024
    /// A longer problem is not kept: a profile may copy much of a provider's body into it.
    private static let problemLimit = 8 << 10

    /// The number of the problem in this process, from 1 on; 0 for none.
    private(set) var number = 0
    private(set) var requestID: [UInt8] = []
    private(set) var code = ProblemCode.internalError
    private var wallNanoseconds: Int64 = 0
    private var provider: Text?
    private var upstreamRequestID: Text?
    private var method: [UInt8] = []
    private var path: [UInt8] = []
    private var status = 0
    private var attempts = 0
    private var queueSeconds = 0.0
    private var upstreamSeconds = 0.0
    private var ownSeconds = 0.0
    private var problem: [UInt8] = []

    /// Replaces the previous contents and reuses their memory.
    mutating func replace(
        number: Int, by exchange: Exchange, _ record: ExchangeRecord, at wallNanoseconds: Int64
    ) {
        self.number = number
        self.wallNanoseconds = wallNanoseconds
        code = exchange.problemCode ?? .internalError
        provider = exchange.provider?.name
        upstreamRequestID = exchange.provider.flatMap(exchange.upstreamRequestID)
        (status, attempts) = (record.sentStatus, record.attempts)
        queueSeconds = Double(record.queueNanoseconds) / 1e9
        upstreamSeconds = Double(record.upstreamNanoseconds) / 1e9
        ownSeconds = Double(record.ownNanoseconds) / 1e9
        let (id, target) = (exchange.requestID, exchange.target)
        let end = min(target.firstIndex(of: 0x3F) ?? target.count, Self.pathLimit)
        Self.fill(&requestID, with: id.span)
        Self.fill(&path, with: target.span.extracting(0..<end))
        exchange.head.withMethod { Self.fill(&method, with: $0) }
        problem.removeAll(keepingCapacity: true)
        exchange.appendProblem(to: &problem, limit: Self.problemLimit)
    }

    private static func fill(_ bytes: inout [UInt8], with other: Span<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(other)
    }

    /// Whether `segment`, the last step of a path, names it.
    func isNamed(_ segment: [UInt8]) -> Bool {
        var spelled: [UInt8] = []
        PercentEncoding.segment(Text(requestID), into: &spelled)
        return spelled == segment
    }

    /// Writes it as JSON, with the problem as it was sent if `isWhole`.
    func encode(into output: inout [UInt8], isWhole: Bool) {
        func add(_ literal: String) { output.append(literal.utf8.span) }
        add(#"{"request_id":"#)
        JSONWriter.string(Text(requestID), into: &output)
        add(#","time":"#)
        JSONWriter.seconds(Double(wallNanoseconds) / 1e9, into: &output)
        if let provider {
            add(#","provider":"#)
            JSONWriter.string(provider, into: &output)
        }
        if let upstreamRequestID {
            add(#","upstream_request_id":"#)
            JSONWriter.string(upstreamRequestID, into: &output)
        }
        if !method.isEmpty {
            add(#","method":"#)
            JSONWriter.string(Text(method), into: &output)
        }
        add(#","path":"#)
        JSONWriter.string(Text(path), into: &output)
        add(#","status":\#(status),"code":"\#(code.name)","attempts":\#(attempts)"#)
        for (name, seconds) in [("queue", queueSeconds), ("upstream", upstreamSeconds), ("own", ownSeconds)] {
            add(#","\#(name)_seconds":"#)
            JSONWriter.seconds(seconds, into: &output)
        }
        if isWhole, !problem.isEmpty {
            add(#","problem":"#)
            output += problem
        }
        add("}")
    }
}
