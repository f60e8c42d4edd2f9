@testable import Core

/// The provider's side of a simulation.
extension PacingSimulation {
    /// A request arrives: each of the provider's limits counts it.
    mutating func reach(_ client: Int) {
        let key = clients[client].key
        var isAccepted = providers[key].accepts(at: now)
        if scenario.sharedRequests > 0, !sharedProvider.accepts(at: now) { isAccepted = false }
        if scenario.concurrent > 0 {
            clients[client].isAtProvider = true
            running[key] += 1
            if running[key] > scenario.concurrent { isAccepted = false }
        }
        if scenario.daily > 0 {
            let date = (now + scenario.wallOffset + scenario.skew) / 86_400_000_000_000
            if date != day {
                day = date
                today = Array(repeating: 0, count: scenario.keys)
            }
            today[key] += 1
            if today[key] > scenario.daily { isAccepted = false }
        }
        clients[client].isAccepted = isAccepted
        clients[client].isMoody = isAccepted && numbers.happens(scenario.moods)
    }

    mutating func leaveProvider(_ client: Int) {
        guard clients[client].isAtProvider else { return }
        clients[client].isAtProvider = false
        running[clients[client].key] -= 1
    }

    mutating func end(_ client: Int) {
        leaveProvider(client)
        if let slot = clients[client].slot {
            arm(pacer.ended(slot, at: moment), worker: clients[client].worker)
        }
        inspect()
    }
}
