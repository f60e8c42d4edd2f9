import Locking

/// Admits requests to one provider so that its limits are never exceeded: one per provider, for all workers.
///
/// A limit is a ledger of slots per key. A request takes a slot when it is sent, and the slot is freed one window
/// after the first byte of the response. The provider counted the request before that byte left it, so the slot is
/// not reused within one window of that moment, whatever the network did in between: no window, sliding or fixed,
/// ever contains more requests than it allows. Two conditions: no other client uses the key, and nothing is sent
/// without a slot, including retries and probes.
///
/// **Several limits.** A policy has up to `PacingDemand.maximumScopes` scopes, and a request has a key in each: its
/// credential, its tenant, the provider. It is sent when all limits that apply to it have the slots that it needs,
/// and holds none while it waits. It waits in the queue of one limit at a time, the one that delays it longest.
///
/// **Order.** No request overtakes an earlier one that needs the same limits, unless it is more urgent;
/// `PacingPolicy.aging` defines by how much. A request that must wait gets a `Place`. Grants are returned by
/// `advance`, which the receiver of a `Wake` calls when it is due, and which delivers the grants of other workers
/// through their mailboxes. While requests wait, there is always an announced wake, or a request in flight whose
/// report announces one. The pacer arms no timers: the worker removes a request whose maximum wait has passed with
/// `leave`.
///
/// **Pauses.** A rejection by the provider (`judge`) pauses the ledger of the first scope with its queue. Then one
/// probe is sent; its success opens the ledger, and another rejection pauses it again, longer each time if the
/// provider names no time. A used-up quota pauses only `PacingPolicy.quotaScope`.
///
/// **Cost.** One lock, held for a fraction of a microsecond; no cost grows with the number of keys. Waiting costs
/// O(1), or the logarithm of the number of keys that wait for the same limit. A known key costs no allocation. A
/// ledger without history, requests in flight and pause is forgotten when new keys arrive.
///
/// **A ledger elsewhere.** A shared ledger on another machine has the same interface: its `admit` returns `.queued`
/// without a wake, and the result arrives as a `Grant` on the worker's loop, like the grants of other workers. The
/// callers do not change, and the ledger in memory stays synchronous. A retry takes its slot with `admit` as well.
public final class Pacer: Sendable {
    /// The maximum number of grants per call of `advance`; if there are more, the wake that it returns is due at
    /// once.
    public static let grantsPerAdvance = 256

    /// The policy in force.
    public var policy: PacingPolicy { book.withLock { $0.policy } }
    /// The ledgers, which tests inspect.
    let book: Lock<LedgerBook>

    /// A pacer with empty ledgers.
    public init(policy: PacingPolicy) {
        book = Lock(LedgerBook(policy: policy))
    }

    /// Sets the time of day: `offset` is the difference between the time since 1970 (UTC) and the times used here.
    ///
    /// Limits by day and month need it at the start and regularly, since a clock may be set.
    public func setWallClock(offset: Duration) {
        let nanoseconds = offset.wholeNanoseconds
        book.withLock { $0.setWallClock(offset: nanoseconds) }
    }

    /// Asks to send a request: now, or after a wait of at most `patience`.
    ///
    /// With a `patience` of zero the request never waits.
    public func admit(
        _ demand: PacingDemand, waiter: Waiter, patience: Duration, at now: MonotonicTime
    ) -> Admission {
        book.withLock { $0.admit(demand, waiter: waiter, patience: patience, at: now) }
    }

    /// Reports the first byte of a response at `firstByte`, where the slot's window begins.
    ///
    /// The response must be the final one: an interim response (RFC 9110 15.2) may come from a gateway in front of
    /// the counter.
    ///
    /// After `.undecided`, `judge` must follow (or `closedWithoutResponse`, if the rest never arrives); with a policy
    /// that counts concurrency, `ended` must follow in any case.
    ///
    /// - Parameters:
    ///   - observed: what the response reports about the provider's own count.
    ///   - learned: the same for all windows, if the policy learns.
    ///   - date: the response's `Date` in seconds since 1970, if the policy reads the provider's clock.
    ///   - reset: returns when that count resets, from now; called only if another client uses the key.
    public func responded(
        _ slot: Slot, verdict: Verdict, observed: RateObservation? = nil, learned: RateReport? = nil,
        date: Int64? = nil, reset: @Sendable () -> Duration? = { nil }, at firstByte: MonotonicTime
    ) -> Outcome {
        book.withLock {
            $0.responded(
                slot, verdict: verdict, observed: observed, learned: learned, date: date, reset: reset,
                at: firstByte)
        }
    }

    /// Reports the end of a request whose response had begun, complete or not.
    ///
    /// It frees the request's slots of limits on concurrent requests; without such limits it has no effect and need
    /// not be called.
    public func ended(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.ended(slot, at: now) }
    }

    /// Corrects what a request costs, which its response says; called before ``responded``, or between an undecided
    /// verdict and ``judge``.
    ///
    /// - Parameters:
    ///   - costs: for each limit; `UInt16.max` for those of which the response says nothing.
    ///   - revision: the version of the policy whose limits these are; nothing happens if there is a newer one.
    public func correct(
        _ slot: Slot, costs: SIMD8<UInt16>, revision: UInt32, at now: MonotonicTime
    ) -> Wake? {
        book.withLock { $0.correct(slot, costs: costs, revision: revision, at: now) }
    }

    /// Counts by the number of requests that a response says is allowed, for the keys of its request.
    ///
    /// - Parameters:
    ///   - capacities: for each limit; 0 for those of which the response says nothing.
    ///   - revision: as for ``correct(_:costs:revision:at:)``.
    public func learn(
        _ slot: Slot, capacities: SIMD8<Int32>, revision: UInt32, at now: MonotonicTime
    ) -> Wake? {
        book.withLock { $0.learnCapacities(slot, capacities, revision: revision, at: now) }
    }

    /// Reports the result of an undecided response.
    public func judge(_ slot: Slot, _ ruling: Ruling, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.judge(slot, ruling, at: now) }
    }

    /// The current pause of a key, for other instances that use it: its duration and its reason.
    ///
    /// - Parameters:
    ///   - key: of the first scope, or of the scope whose quota is used up.
    ///   - usesQuota: whether the key belongs to the quota.
    public func pause(
        ofKey key: UInt64, usesQuota: Bool, at now: MonotonicTime
    ) -> (left: Duration, reason: PauseReason)? {
        book.withLock { $0.pause(ofKey: key, usesQuota: usesQuota, at: now) }
    }

    /// Pauses a key because another instance was rejected; a probe follows as after any rejection.
    public func pause(
        key: UInt64, usesQuota: Bool, for duration: Duration, reason: PauseReason, at now: MonotonicTime
    ) -> Wake? {
        book.withLock { $0.pause(key: key, usesQuota: usesQuota, for: duration, reason: reason, at: now) }
    }

    /// Reports that a request was sent, at least in part, and its connection was closed without a response.
    ///
    /// It may still be in flight, so the slot's window begins at the end of the policy's `grace`.
    public func closedWithoutResponse(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.closedWithoutResponse(slot, at: now) }
    }

    /// Returns a slot whose request was never sent: it is free at once.
    public func neverSent(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.neverSent(slot, at: now) }
    }

    /// What is left for a request that is not sent, like `Outcome.headroom` for one that was; nil without limits that
    /// apply to it.
    ///
    /// For an unknown key everything is left, and the key stays unknown. During a pause nothing is left until its
    /// end.
    public func headroom(of demand: PacingDemand, at now: MonotonicTime) -> Headroom? {
        book.withLock { $0.headroom(of: demand, at: now) }
    }

    /// How long a request that arrives now would wait, as far as the ledger knows: zero if it would be sent at once,
    /// nil if the maximum number of keys is reached.
    public func expectedWait(of demand: PacingDemand, at now: MonotonicTime) -> Duration? {
        book.withLock { $0.expectedWait(of: demand, at: now) }
    }

    /// Leaves the queue; returns whether the place was still held.
    ///
    /// If it was not, its grant is on the way to its worker, which must return the slot with `neverSent`. The wake is
    /// for requests behind it, which may need less.
    public func leave(_ place: Place, at now: MonotonicTime) -> (wasWaiting: Bool, wake: Wake?) {
        book.withLock { $0.leave(place, at: now) }
    }

    /// Grants what `wake` was announced for: appends to `grants`, and returns the next timer to arm.
    public func advance(_ wake: Wake, at now: MonotonicTime, into grants: inout [Grant]) -> Wake? {
        book.withLock { $0.advance(wake, at: now, into: &grants) }
    }

    /// The current state with up to `rows` ledgers (at most 1024); only `rows` determines the time it takes.
    ///
    /// - Parameter cost: the number of requests for which the `expectedWait` of a ledger is computed.
    public func snapshot(at now: MonotonicTime, rows: Int = 256, cost: Int = 1) -> PacerSnapshot {
        book.withLock {
            $0.snapshot(
                at: now, rows: min(max(rows, 0), 1024), cost: min(max(cost, 1), PacingDemand.maximumWeight))
        }
    }
}

extension Pacer {
    /// Replaces the policy.
    ///
    /// Used slots stay used: each is freed one window of the *new* policy after its response. A new limit starts with
    /// what the longest other one of its scope remembers; older requests are unknown, as after a start. Requests in
    /// flight keep their slots and waiting ones their places; a pause continues.
    ///
    /// - Parameter origins: for each limit, the index of the old limit that counted the same requests; `nil` means
    ///   the one of the same scope and kind, in order.
    /// - Returns: the timer to arm, if a waiting request may be sent sooner.
    public func change(to policy: PacingPolicy, origins: [Int?]? = nil, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.change(to: policy, origins: origins, at: now) }
    }

    /// The version of the policy; a demand says for which one it was computed (``PacingDemand/revision``).
    public var revision: UInt32 { book.withLock { $0.revision } }
}
