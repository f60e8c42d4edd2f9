internal import Glibc

/// The thread to which a loop, and all that it serves, is confined.
///
/// What a worker has needs no locks, since one thread uses it. That is checked where calls come in: by another thread, a call would be a race
/// that may show as anything, much later.
public struct ThreadConfinement: Sendable {
    private var owner: pthread_t?

    /// Confined to no thread yet: a loop is made by one thread, and used by another.
    public init() {}

    /// Confines it to the thread that calls, for ever.
    public mutating func bind() {
        check("bind")
        owner = pthread_self()
    }

    /// Whether the thread that calls may use it.
    public var isKept: Bool { owner.map { pthread_equal($0, pthread_self()) != 0 } ?? true }

    /// Traps on any other thread, in every build; `call` says what was called.
    @inline(__always)
    public func check(_ call: StaticString = #function) {
        precondition(isKept, "\(call) was called on another thread than its loop's")
    }

    /// Traps on any other thread, in builds with assertions: for calls that are frequent.
    @inline(__always)
    public func assertKept(_ call: StaticString = #function) {
        assert(isKept, "\(call) was called on another thread than its loop's")
    }
}
