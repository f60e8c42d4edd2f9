internal import Core

/// `/-/limits`: the current state of the ledgers as JSON.
enum LimitsPage {
    /// How many ledgers of each provider are read, and how many of those, the fullest, are shown.
    ///
    /// Reading holds the pacer's lock; this many ledgers take a fraction of a millisecond.
    private static let read = 256
    private static let shown = 64

    /// The page; for each ledger it shows when `cost` requests could be sent.
    static func page(of service: ProxyService, cost: Int, at now: MonotonicTime) -> AdminPage {
        var output = Array(
            #"{"cost":\#(cost),"replicas":\#(service.configuration.replicas),"ledger":"\#(ledger(of: service))","providers":["#
                .utf8)
        for (index, provider) in service.providers.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(provider, provider.pacer.snapshot(at: now, rows: read, cost: cost), to: &output)
        }
        output += Array("]}".utf8)
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }

    /// How the instances count: each for itself, in the shared ledger, or each with its share as a fallback.
    private static func ledger(of service: ProxyService) -> String {
        guard service.configuration.ledger != nil else { return "memory" }
        return service.instance.ledger.gauges.isUp ? "shared" : "fallback"
    }

    private static func append(
        _ provider: ProviderService, _ snapshot: PacerSnapshot, to output: inout [UInt8]
    ) {
        output += Array(#"{"provider":"#.utf8)
        JSONWriter.string(provider.configuration.name, into: &output)
        let waiting = snapshot.waiting + provider.waitingForLedger
        let pacing = provider.configuration.isPacingObserved ? "observe" : "enforce"
        output += Array(
            (#","pacing":"\#(pacing)","queue":\#(waiting),"oldest_wait":"#
                + seconds(snapshot.oldestWait)
                + #","in_flight":\#(snapshot.inFlight),"ledgers_in_use":\#(snapshot.keys)"#
                + #","ledgers_paused":\#(snapshot.paused),"ledgers":["#).utf8)
        let fullest = snapshot.ledgers.sorted { fullness($0) > fullness($1) }.prefix(shown)
        let names = provider.limitNames(of: snapshot.windows.map(\.window))
        for (index, ledger) in fullest.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(ledger, names: names, of: provider, to: &output)
        }
        output += Array("]".utf8)
        appendNotes(of: provider, to: &output)
        output += Array("}".utf8)
    }

    /// Why limits are not exact; nothing if all are.
    private static func appendNotes(of provider: ProviderService, to output: inout [UInt8]) {
        let notes = provider.plan.notes
        guard !notes.isEmpty else { return }
        output += Array(#","notes":["#.utf8)
        for (index, note) in notes.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output += Array(#"{"policy":"#.utf8)
            JSONWriter.string(provider.limitNames(of: provider.plan.windows)[note.limit], into: &output)
            output += Array(#","note":"#.utf8)
            JSONWriter.string(note.text, into: &output)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: "]"))
    }

    /// Sorts ledgers with waiting requests or a pause first, then by used slots.
    private static func fullness(_ ledger: PacerSnapshot.Ledger) -> Double {
        let used = ledger.windows.map { Double($0.used) / Double($0.window.requests) }.max() ?? 0
        return used + (ledger.waiting > 0 ? 2 : 0) + (ledger.pause == nil ? 0 : 4)
    }

    private static func append(
        _ ledger: PacerSnapshot.Ledger, names: [String], of provider: ProviderService,
        to output: inout [UInt8]
    ) {
        output += Array(#"{"by":"#.utf8)
        // A ledger of replaced limits may have a scope that no longer exists.
        let scopes = provider.plan.scopes
        JSONWriter.string(scopes[min(ledger.scope, scopes.count - 1)].name, into: &output)
        output += Array(#","key":"\#(key(ledger.key))","limits":["#.utf8)
        for (index, reading) in ledger.windows.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            let exhausted = reading.exhaustedIn.map { #","exhausted_in":"# + seconds($0) } ?? ""
            output += Array(
                (#"{"policy":"\#(names[reading.limit])","limit":\#(reading.capacity),"used":\#(reading.used)"#
                    + #","remaining":\#(reading.remaining),"reset":"# + seconds(reading.resetIn) + exhausted
                    + "}")
                    .utf8)
        }
        var rest = #"],"in_flight":\#(ledger.inFlight),"queue":\#(ledger.waiting)"#
        if let wait = ledger.expectedWait { rest += #","wait":"# + seconds(wait) }
        if !ledger.learned.isEmpty {
            let windows = ledger.learned.map {
                learned(
                    $0, from: provider.rateHeaders?.sources ?? [])
            }
            rest += #","learned":["# + windows.joined(separator: ",") + "]"
        }
        if let gap = ledger.gap { rest += #","cautious":"# + seconds(gap) }
        if let pause = ledger.pause {
            rest += #","paused":"\#(pause.name)","paused_for":"# + seconds(ledger.pausedFor)
        }
        output += Array((rest + "}").utf8)
    }

    /// What was learned of one window, and from which field.
    private static func learned(_ window: PacerSnapshot.Learned, from sources: [String]) -> String {
        var name: [UInt8] = []
        JSONWriter.string(window.source < sources.count ? sources[window.source] : "", into: &name)
        var text = #"{"from":"# + String(decoding: name, as: UTF8.self)
        if let limit = window.limit { text += #","limit":\#(limit)"# }
        text += #","remaining":\#(window.remaining)"#
        if window.cost > 1 { text += #","cost":\#(window.cost)"# }
        if let reset = window.resetIn { text += #","reset":"# + seconds(reset) }
        return text + "}"
    }

    /// A key is shown as part of its hash; keys that do not represent a credential are shown by their kind.
    private static func key(_ key: LedgerKey) -> String {
        if key == .none { return "none" }
        if key.hash < 1 << 16 { return "all" }
        let digits = String(UInt32(truncatingIfNeeded: key.hash >> 16), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Seconds with milliseconds, rounded up.
    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = (max(duration, .zero).wholeNanoseconds / 1_000_000) + (duration > .zero ? 1 : 0)
        return "\(Double(milliseconds) / 1000)"
    }
}
