/// Actions that a machine answers an event with, in their order: at most eight, and no allocation.
///
/// An action's raw value is not 0, which stands for the end of the list.
public struct ActionList<Action>: Sendable, Equatable, Sequence, ExpressibleByArrayLiteral
where Action: RawRepresentable<UInt8> & Sendable {
    /// The actions' raw values, a byte each, the first one lowest.
    private var bits: UInt64 = 0
    private var count = 0

    /// No action.
    public init() {}

    /// These actions, in this order.
    public init(arrayLiteral actions: Action...) {
        for action in actions { append(action) }
    }

    /// Whether there is no action.
    public var isEmpty: Bool { bits == 0 }

    /// Appends an action.
    public mutating func append(_ action: Action) {
        precondition(count < 8, "more than eight actions at once")
        bits |= UInt64(action.rawValue) &<< UInt64(8 &* count)
        count &+= 1
    }

    /// Appends actions.
    public mutating func append(contentsOf others: Self) {
        precondition(count &+ others.count <= 8, "more than eight actions at once")
        bits |= others.bits &<< UInt64(8 &* count)
        count &+= others.count
    }

    /// The actions, first to last.
    public func makeIterator() -> Iterator { Iterator(bits: bits) }

    /// The actions, first to last.
    public struct Iterator: IteratorProtocol {
        var bits: UInt64

        /// The next action; `nil` behind the last one.
        public mutating func next() -> Action? {
            let action = Action(rawValue: UInt8(truncatingIfNeeded: bits))
            bits &>>= 8
            return action
        }
    }
}
