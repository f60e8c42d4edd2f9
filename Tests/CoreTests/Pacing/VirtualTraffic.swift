@testable import Core

/// Clients that send one request after another through a pacer, in virtual time, to a provider that is a closure.
final class VirtualTraffic {
    /// What a client asks for.
    struct Request {
        var demand: PacingDemand
        var method = "GET"
        var path = "/"
        var credential = 0
    }

    /// What the provider answers.
    struct Response {
        var isAccepted: Bool
        var report: RateReport?
        var retryAfter: Duration?
        /// Seconds since 1970.
        var date: Int64?
    }

    private enum Event {
        case arrive(client: Int)
        case wake(Wake)
        case reach(client: Int)
        case answer(client: Int)
        case end(client: Int)
    }

    let pacer: Pacer
    /// The time each way, and from the first byte of a response to its end.
    var latency: (inout SeededNumbers) -> (there: Int64, back: Int64, body: Int64) = { _ in
        (50_000_000, 50_000_000, 0)
    }
    /// The next request of a client.
    var request: (_ client: Int, inout SeededNumbers) -> Request
    /// A request has arrived at the provider.
    var serve: (Request, _ now: Int64) -> Response
    /// A response has ended.
    var finish: (Request) -> Void = { _ in }

    private(set) var accepted = 0
    private(set) var refused = 0
    /// When the requests were refused, in nanoseconds.
    private(set) var refusals: [Int64] = []
    /// How long the longest time was in which nothing was accepted.
    private(set) var longestPause: Int64 = 0
    private var lastAccepted: Int64 = 0
    private var events = EventQueue<Event>()
    private var numbers: SeededNumbers
    private var now: Int64 = 0
    private var end: Int64 = 0
    private var requests: [Int: Request] = [:]
    private var slots: [Int: Slot] = [:]
    private var responses: [Int: Response] = [:]
    private var bodies: [Int: Int64] = [:]

    init(
        _ pacer: Pacer, seed: UInt64 = 1,
        request: @escaping (_ client: Int, inout SeededNumbers) -> Request,
        serve: @escaping (Request, _ now: Int64) -> Response
    ) {
        self.pacer = pacer
        self.request = request
        self.serve = serve
        numbers = SeededNumbers(seed: seed)
    }

    /// Lets clients send for so many seconds, the first one for some time alone.
    func run(clients: Int, seconds: Double, headStart: Int64 = 0) {
        end = Int64(seconds * 1e9)
        for client in 0..<clients {
            events.add(.arrive(client: client), at: client == 0 ? 0 : headStart)
        }
        while let (time, event) = events.next(), time <= end {
            now = time
            handle(event)
        }
        longestPause = max(longestPause, end - lastAccepted)
    }

    private var moment: MonotonicTime { MonotonicTime(nanoseconds: now) }

    private func handle(_ event: Event) {
        switch event {
        case .arrive(let client):
            let request = request(client, &numbers)
            requests[client] = request
            let waiter = Waiter(worker: 0, id: UInt64(client))
            switch pacer.admit(request.demand, waiter: waiter, patience: .seconds(10_000_000), at: moment) {
            case .admitted(let slot): send(client, slot)
            case .queued(_, _, let wake): arm(wake)
            case .refused: events.add(.arrive(client: client), at: now + 1_000_000_000)
            }
        case .wake(let wake):
            var grants: [Grant] = []
            arm(pacer.advance(wake, at: moment, into: &grants))
            for grant in grants { send(Int(grant.waiter.id), grant.slot) }
        case .reach(let client):
            if let request = requests[client] { responses[client] = serve(request, now) }
        case .answer(let client): answer(client)
        case .end(let client):
            if let slot = slots[client] { arm(pacer.ended(slot, at: moment)) }
            if let request = requests[client] { finish(request) }
            events.add(.arrive(client: client), at: now)
        }
    }

    private func arm(_ wake: Wake?) {
        if let wake { events.add(.wake(wake), at: max(now, wake.at.nanoseconds)) }
    }

    private func send(_ client: Int, _ slot: Slot) {
        slots[client] = slot
        let time = latency(&numbers)
        bodies[client] = time.body
        events.add(.reach(client: client), at: now + time.there)
        events.add(.answer(client: client), at: now + time.there + time.back)
    }

    private func answer(_ client: Int) {
        guard let slot = slots[client], let response = responses[client] else { return }
        if response.isAccepted {
            accepted += 1
            longestPause = max(longestPause, now - lastAccepted)
            lastAccepted = now
        } else {
            refused += 1
            refusals.append(now)
        }
        let verdict: Verdict = response.isAccepted ? .accepted : .undecided
        arm(
            pacer.responded(
                slot, verdict: verdict, learned: response.report, date: response.date,
                at: moment
            ).wake)
        if !response.isAccepted {
            let ruling = Ruling.rejected(retryAfter: response.retryAfter, reason: .rateLimited)
            arm(pacer.judge(slot, ruling, at: moment))
        }
        events.add(.end(client: client), at: now + bodies[client, default: 0])
    }
}
