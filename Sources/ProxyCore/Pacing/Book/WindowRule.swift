/// One window of a policy in the numbers that the ledgers count with.
struct WindowRule {
    /// Windows of up to so many requests keep the exact moment of each; larger ones count in parts of the
    /// window.
    static let exactRequests = 256
    /// The parts of a larger window.
    ///
    /// A slot is held up to one part longer, never shorter.
    static let parts: Int64 = 128

    let window: PacingPolicy.Window
    /// The slots.
    let capacity: Int
    /// The window, in nanoseconds.
    let per: Int64
    /// What the moments at which slots are free again are rounded up to, in nanoseconds.
    let resolution: Int64

    /// The same for slots whose response never came: a long grace is divided into parts, too.
    let lossResolution: Int64

    init(_ window: PacingPolicy.Window, grace: Int64) {
        self.window = window
        capacity = window.requests
        per = window.per.wholeNanoseconds
        let isExact = window.requests <= Self.exactRequests
        resolution = isExact ? 1 : max(per / Self.parts, 1)
        lossResolution = isExact ? 1 : max(grace / Self.parts, resolution)
    }

    /// When a slot is free again whose window begins at `start`.
    func free(from start: MonotonicTime) -> MonotonicTime {
        start.later(by: per).roundedUp(to: resolution)
    }

    /// When a slot is free again whose response never came, and whose window begins at `start`.
    func freeAfterLoss(from start: MonotonicTime) -> MonotonicTime {
        start.later(by: per).roundedUp(to: lossResolution)
    }
}
