import Locking

/// Lets requests to one provider through so that its limits are never exceeded: one per provider, for all
/// workers.
///
/// A limit is a ledger of slots per key. A request takes a slot when it is sent, and the slot is free again
/// one window after the first byte of the response. The provider counted the request at some moment before
/// that byte left it, so the slot is not used again within one window of the count, whatever the network did
/// in between: no window, sliding or fixed, ever holds more requests than it allows. Two conditions: nobody
/// else uses the key, and nothing is sent without a slot, a retry and a probe included.
///
/// **Several limits.** A policy has up to `PacingDemand.maximumScopes` scopes, and a request a key in each:
/// its credential, its tenant, the provider. It is sent when all limits that count it have the slots that it
/// needs, and holds none while it waits. It stands in the queue of one limit at a time, the one that keeps it
/// back longest.
///
/// **Turns.** Nobody is sent before a request that needs the same and came earlier, unless it is more urgent;
/// `PacingPolicy.aging` says by how much. A request that must wait gets a `Place`; grants come out of
/// `advance`, which is called when a `Wake` is due by the worker that received the wake. It delivers the
/// grants of other workers through their mailboxes. With waiting requests there is always an announced wake
/// or a request in flight, whose report announces one. The pacer arms no timers: a request whose patience
/// ends while it waits is taken out with `leave` by the worker that holds it.
///
/// **Pauses.** A refusal by the provider (`judge`) pauses the ledger of the first scope, its queue included.
/// Then one request tries; its success opens the ledger, another refusal pauses it again, longer each time if
/// the provider names no time. A quota that is used up pauses `PacingPolicy.quotaScope` alone.
///
/// **Cost.** One lock, held for a fraction of a microsecond; nothing grows with the number of keys. What
/// waits costs O(1), or the logarithm of the keys that wait for the same limit. A key that is known costs no
/// allocation. A ledger without history, requests in flight and pause is forgotten when new keys come.
///
/// **A ledger elsewhere.** A shared ledger, whose answer comes from another machine, fits the same shape: its
/// `admit` answers `.queued` without a wake, and the answer arrives as a `Grant` on the worker's loop,
/// through the path that grants of other workers take already. The callers do not change, and the ledger in
/// memory stays synchronous. A retry takes its slot by `admit` as well.
public final class Pacer: Sendable {
    /// The most grants that one call of `advance` gives out; the wake it returns is due at once when there
    /// are more.
    public static let grantsPerAdvance = 256

    /// What is allowed now.
    public var policy: PacingPolicy { book.withLock { $0.policy } }
    /// The ledgers, which the tests look into.
    let book: Lock<LedgerBook>

    /// A pacer with empty ledgers.
    public init(policy: PacingPolicy) {
        book = Lock(LedgerBook(policy: policy))
    }

    /// Says what time it is: `offset` is what has to be added to the times given here to have the time since
    /// 1970 (UTC).
    ///
    /// Limits by the day and by the month need it, from the start and now and then: a clock may be set.
    public func setWallClock(offset: Duration) {
        let nanoseconds = offset.wholeNanoseconds
        book.withLock { $0.setWallClock(offset: nanoseconds) }
    }

    /// Asks to send a request: now, or after a wait of at most `patience`.
    ///
    /// With a patience of zero the request never waits.
    public func admit(
        _ demand: PacingDemand, waiter: Waiter, patience: Duration, at now: MonotonicTime
    ) -> Admission {
        book.withLock { $0.admit(demand, waiter: waiter, patience: patience, at: now) }
    }

    /// Reports the first byte of a response, at `firstByte`: from here the slot's window runs.
    ///
    /// The response is the final one: an interim response (RFC 9110 15.2) may come from something in front of
    /// what counts.
    ///
    /// After `.undecided`, `judge` must follow (or `closedWithoutResponse`, when the rest never came); with a
    /// policy that counts concurrency, `ended` in any case.
    ///
    /// - Parameters:
    ///   - observed: what the response says of the provider's own count.
    ///   - reset: when that count begins anew, from now; asked only if somebody else uses the key.
    public func responded(
        _ slot: Slot, verdict: Verdict, observed: RateObservation? = nil,
        reset: @Sendable () -> Duration? = { nil }, at firstByte: MonotonicTime
    ) -> Outcome {
        book.withLock {
            $0.responded(slot, verdict: verdict, observed: observed, reset: reset, at: firstByte)
        }
    }

    /// Reports that a request that was responded to is over, whether its response is complete or not.
    ///
    /// It frees what the request took of a limit of requests at the same time; without such a limit it does
    /// nothing, and need not be called.
    public func ended(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.ended(slot, at: now) }
    }

    /// Says what an undecided response turned out to be.
    public func judge(_ slot: Slot, _ ruling: Ruling, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.judge(slot, ruling, at: now) }
    }

    /// The pause of a key that is in force, for other instances that use it: how long it lasts, and why.
    ///
    /// - Parameters:
    ///   - key: of the first scope, or of the one whose quota is used up.
    ///   - usesQuota: whether it is that of the quota.
    public func pause(
        ofKey key: UInt64, usesQuota: Bool, at now: MonotonicTime
    ) -> (left: Duration, reason: PauseReason)? {
        book.withLock { $0.pause(ofKey: key, usesQuota: usesQuota, at: now) }
    }

    /// Pauses a key because another instance was refused: as after a refusal, one request tries then.
    public func pause(
        key: UInt64, usesQuota: Bool, for duration: Duration, reason: PauseReason, at now: MonotonicTime
    ) -> Wake? {
        book.withLock { $0.pause(key: key, usesQuota: usesQuota, for: duration, reason: reason, at: now) }
    }

    /// Reports that a request was sent, perhaps in part, and its connection is closed without a response.
    ///
    /// It may still be on its way, so the slot's window runs from the end of the policy's `grace`.
    public func closedWithoutResponse(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.closedWithoutResponse(slot, at: now) }
    }

    /// Gives back a slot whose request never left this machine: it is free at once.
    public func neverSent(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.neverSent(slot, at: now) }
    }

    /// What is left for a request that is not sent, as `Outcome.headroom` says it for one that was; nil without
    /// limits that count it.
    ///
    /// Of a key that is not known everything is left, and it stays unknown. A pause leaves nothing until its end.
    public func headroom(of demand: PacingDemand, at now: MonotonicTime) -> Headroom? {
        book.withLock { $0.headroom(of: demand, at: now) }
    }

    /// How long a request that comes now would wait for its turn, as far as the ledger knows: zero if it would be sent at once, nil if
    /// there are as many keys as there may be.
    public func expectedWait(of demand: PacingDemand, at now: MonotonicTime) -> Duration? {
        book.withLock { $0.expectedWait(of: demand, at: now) }
    }

    /// Gives up a place in the queue, and returns whether it was still held.
    ///
    /// When it was not, its grant is on the way to its worker, which must give the slot back with
    /// `neverSent`. The wake is for those behind, who may need less.
    public func leave(_ place: Place, at now: MonotonicTime) -> (wasWaiting: Bool, wake: Wake?) {
        book.withLock { $0.leave(place, at: now) }
    }

    /// Gives out what `wake` was announced for: appends to `grants`, and returns the next timer to arm.
    public func advance(_ wake: Wake, at now: MonotonicTime, into grants: inout [Grant]) -> Wake? {
        book.withLock { $0.advance(wake, at: now, into: &grants) }
    }

    /// What is held now, with up to `rows` ledgers (at most 1024); the time it takes is bounded by `rows`
    /// alone.
    ///
    /// - Parameter cost: how many requests the `expectedWait` of a ledger is for.
    public func snapshot(at now: MonotonicTime, rows: Int = 256, cost: Int = 1) -> PacerSnapshot {
        book.withLock {
            $0.snapshot(
                at: now, rows: min(max(rows, 0), 1024), cost: min(max(cost, 1), PacingDemand.maximumWeight))
        }
    }
}

extension Pacer {
    /// Lets through what `policy` allows from now on.
    ///
    /// What was taken stays taken: each slot is free again one window of the *new* policy after its answer. A limit
    /// that was not there begins with what the longest other one of its scope remembers; what was sent longer ago is
    /// not known any more, as it is not after a start. Requests in flight keep their slots, and waiting ones their
    /// places; a pause goes on.
    ///
    /// - Parameter origins: for each limit, the place of that one of the old limits which counted the same requests;
    ///   `nil` for those of the same scope and kind, in their order.
    /// - Returns: the timer to arm, if a request that waits may have its turn sooner.
    public func change(to policy: PacingPolicy, origins: [Int?]? = nil, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.change(to: policy, origins: origins, at: now) }
    }

    /// Which policy this is: a demand says under which one it was weighed (``PacingDemand/revision``).
    public var revision: UInt32 { book.withLock { $0.revision } }
}
