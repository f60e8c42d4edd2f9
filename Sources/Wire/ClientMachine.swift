/// A client's connection as a value: events in, actions out.
///
/// It performs nothing itself, and has no clock: the connection reports what happens with ``handle(_:)``, and performs the actions that come
/// back, in order. An event that the connection cannot have in its state is a mistake of the caller's, and traps; nothing that a client
/// sends leads to one.
public struct ClientMachine: Sendable {
    /// Where the connection is.
    public enum Stage: UInt8, Sendable, Equatable, CaseIterable {
        /// TLS is not established.
        /// Leaves by the end of the handshake, or of the connection.
        case handshake
        /// The library reads requests and sends their responses.
        /// Leaves by a last response that goes past the library, or by the end of the connection.
        case serving
        /// The last response is written past the library, which sleeps; what the client sends is dropped.
        /// Leaves when all of it was sent, by a failure, or by the end of its time.
        case leaving
        /// Nothing is left to be done: the library closes the connection when it looks at it.
        case gone
        /// The library has closed the connection. No event may follow.
        case closed
    }

    /// How much of the request has been read that the library reads or answers.
    public enum Request: UInt8, Sendable, Equatable, Comparable {
        /// There is none.
        case none
        /// Its first line.
        case begun
        /// Its head, which is held: the client waits to be told to send the body.
        case held
        /// Its head.
        case head
        /// Its head, and bytes of its body.
        case body
        /// All of it.
        case complete

        /// Whether less of a request has been read.
        public static func < (left: Request, right: Request) -> Bool { left.rawValue < right.rawValue }
    }

    /// Which response the request has.
    public enum Response: UInt8, Sendable, Equatable {
        case none
        /// The library sends it.
        case queued
        /// It goes past the library, and ends the connection.
        case closing
    }

    /// Why the library does not look at the connection.
    public enum Sleep: UInt8, Sendable, Equatable {
        /// It does.
        case none
        /// The handshake waits for the client.
        case inHandshake
        /// The request waits for its turn, its provider, or room.
        case inRequest
        /// The last response goes past the library: until all of it was sent.
        case untilGone
    }

    /// What the system has told of the end of the client's side.
    public enum End: UInt8, Sendable, Equatable, Comparable {
        case none
        /// The client sends no more, and may still read.
        case ended
        /// The whole connection has ended.
        case broken

        /// Whether less of the connection has ended.
        public static func < (left: End, right: End) -> Bool { left.rawValue < right.rawValue }
    }

    /// From where the library gets the bytes that it asks for.
    public enum Source: Sendable, Equatable {
        /// From nowhere: it hears that there are none yet.
        case nothing
        /// It hears that the client has ended its side.
        case end
        /// From what was received behind the end of a request.
        case held
        /// From the socket.
        case socket
    }

    /// Whether TLS is spoken.
    public let isEncrypted: Bool
    /// What the client's bytes are looked at with, before the library gets them.
    public private(set) var scanner: RequestScanner
    /// Where the connection is.
    public private(set) var stage: Stage
    /// The request that the library reads or answers.
    public private(set) var request = Request.none
    /// The response of that request.
    public private(set) var response = Response.none
    /// Whether that request's connection is closed at the end of the callback that runs.
    public private(set) var isAbandoned = false
    /// Why the library does not look at it.
    public private(set) var sleep = Sleep.none
    /// What the system has told of the client's end.
    public private(set) var end = End.none
    /// Whether the end of the client's side has been read.
    public private(set) var hasReadEnd = false
    /// Whether there may be bytes, or an end, to be read from the socket.
    public private(set) var mayBeReadable = true
    /// Whether the library was given less than there may be, and must hear of it once the request is answered.
    public private(set) var owesReading = false
    /// Whether the library has closed the connection, though not the socket: it has no memory for it any more.
    public private(set) var libraryHasClosed = false
    /// Whether the timer of a head, or of the handshake, runs.
    public private(set) var isHeadTimed: Bool
    /// Whether the library waits for the client as long as it may stall, and not only as long as a connection may be idle.
    public private(set) var allowsStall = false
    /// What is dropped behind a last response that goes past the library.
    public var unread: UnreadInput?
    /// Which request, in order, the timed head belongs to.
    private var headIndex = 0
    /// How many requests the library is done with.
    private var completedRequests = 0
    /// In which run of the library a whole response was handed to the system last.
    private var answeredInRun: UInt?
    /// Whether the response to bytes that are not HTTP was asked for.
    private var isRefusalRequested = false
    /// Whether the closing response has something to do: the socket has news, or has not been emptied.
    public private(set) var isClosingDue = false
    /// Whether all of the closing response was sent.
    private var isClosingSent = false
    private var isStopping: Bool

    /// A connection that has just been accepted.
    ///
    /// - Parameters:
    ///   - limits: what is refused of its requests.
    ///   - isEncrypted: whether it begins with a TLS handshake.
    ///   - isStopping: whether its daemon is about to stop.
    public init(limits: RequestScanner.Limits, isEncrypted: Bool, isStopping: Bool = false) {
        scanner = RequestScanner(limits: limits, hidesQuery: true)
        self.isEncrypted = isEncrypted
        self.isStopping = isStopping
        stage = isEncrypted ? .handshake : .serving
        // The time of a first head begins with the handshake before it.
        isHeadTimed = isEncrypted
    }

    // MARK: Questions

    // Inlined, because a call on a property of an object copies the whole machine first.

    /// Whether the library has not closed the socket.
    @inline(__always)
    public var isOpen: Bool { stage != .closed }

    /// Whether the last response has been given, past the library.
    @inline(__always)
    public var isLeaving: Bool { stage == .leaving || stage == .gone }

    /// Whether every request that was read whole has been answered.
    @inline(__always)
    public var isDue: Bool { completedRequests == scanner.completeRequests }

    /// Whether the scanner has passed the head of the request that the library reads or answers.
    public var hasScannedHead: Bool { completedRequests < scanner.completeHeads }

    /// The number of the request that is read or answered, from 1 on.
    @inline(__always)
    public var requestNumber: Int { completedRequests + 1 }

    /// Whether the request has a response.
    @inline(__always)
    public var isAnswered: Bool { response != .none }

    /// Whether a request is read or answered whose head is here, and that has no response.
    @inline(__always)
    public var hasUnansweredRequest: Bool { hasHead && response == .none }

    /// Whether the library takes a response to the request.
    @inline(__always)
    public var mayBeAnswered: Bool { stage == .serving && request == .complete && response == .none }

    /// Whether the head of a request is here.
    @inline(__always)
    public var hasHead: Bool { request >= .held }

    /// Whether the request sleeps.
    @inline(__always)
    public var isRequestAsleep: Bool { request != .none && (sleep == .inRequest || sleep == .untilGone) }

    /// Whether nothing is here of a next request, and none is being answered.
    public var isIdle: Bool { request == .none && scanner.isBetweenRequests && isDue }

    /// Whether bytes that are not HTTP can be answered now.
    public var mayRefuse: Bool { stage == .serving && scanner.fault != nil && isDue }

    /// Whether an interim response of the request may be written now; `expectsContinue`: the client waits to be told to go on.
    ///
    /// The library writes nothing between the head and the response but `100 Continue`, whole before it shows a byte of the body or asks
    /// for the response.
    public func mayHaveInterim(expectsContinue: Bool) -> Bool {
        guard stage == .serving, !isAnswered, !isAbandoned else { return false }
        return expectsContinue ? request >= .body : request >= .head
    }

    /// From where the library gets bytes; `hasHeld`: bytes behind the end of a request are held.
    ///
    /// Neither bytes nor the end while a complete request is unanswered.
    ///
    /// > A resumed connection makes 0.9.75 read once as if it still read the request: an end closes the connection then, and the response
    /// is lost. And what it reads of the next request takes the memory that the response's head needs.
    @inline(__always)
    public func source(hasHeld: Bool) -> Source {
        // The library only finds out that the connection is over.
        if isLeaving { return .end }
        guard scanner.fault == nil, isDue else { return .nothing }
        return hasHeld ? .held : .socket
    }

    /// Whether `bytes` complete the request that is being read; they stay unread.
    public func isRequestCompleted(by bytes: inout MutableSpan<UInt8>) -> Bool {
        var ahead = scanner
        _ = ahead.scanRequest(&bytes)
        return ahead.completeRequests > scanner.completeRequests
    }

    // MARK: Bytes

    /// Looks at bytes for the library, up to the end of a request; see ``RequestScanner/scanRequest(_:)``.
    public mutating func scan(_ bytes: inout MutableSpan<UInt8>) -> (passed: Int, scanned: Int) {
        scanner.scanRequest(&bytes)
    }

    /// The trailers of the request that is read or answered, once.
    public mutating func takeTrailers() -> FieldBlock { scanner.takeTrailers(of: requestNumber) }

    /// Takes other limits, if no request has begun.
    ///
    /// - Returns: whether they are in force.
    public mutating func change(to limits: RequestScanner.Limits) -> Bool {
        guard scanner.isBetweenRequests else { return false }
        scanner.limits = limits
        return true
    }

    // MARK: Events

    /// Takes an event, and answers what to do.
    public mutating func handle(_ event: Event) -> ClientActions {
        if stage == .closed { reject(event) }
        switch event {
        case .socketChanged(let ended, let broken):
            return socketChanged(broken ? .broken : ended ? .ended : .none)
        case .socketDrained:
            guard stage == .serving else { reject(event) }
            // The end may have come with the last bytes, and is told once.
            if end == .none { mayBeReadable = false }
            return []
        case .endRead:
            guard stage == .serving else { reject(event) }
            hasReadEnd = true
            return []
        case .handshakeWaits(let hasNews): return handshakeWaits(event, hasNews: hasNews)
        case .handshakeEnded:
            guard stage == .handshake, sleep == .none else { reject(event) }
            stage = .serving
            return []
        case .readEnded(let isShort, let hasHeld):
            guard stage == .serving else { reject(event) }
            return readEnded(isShort: isShort, hasHeld: hasHeld)
        case .headTimedOut:
            guard isHeadTimed else { reject(event) }
            return isEncrypted && stage == .serving ? [.endSession, .cutOff] : [.cutOff]
        case .inputExhausted:
            guard stage == .serving, isDue, end != .none else { reject(event) }
            return [.cutOff]

        case .requestBegan, .headReceived, .headHeld, .headReleased, .bodyArrived, .requestEnded:
            return read(event)
        case .requestSleeps:
            guard request >= .held else { reject(event) }
            return requestSleeps()
        case .requestWoken:
            guard sleep == .inRequest else { reject(event) }
            sleep = .none
            return [.resume]
        case .requestAbandoned:
            guard request != .none else { reject(event) }
            isAbandoned = true
            return []
        case .responseQueued:
            guard mayBeAnswered else { reject(event) }
            response = .queued
            return []
        case .responseEndsConnection:
            guard response == .queued else { reject(event) }
            libraryHasClosed = true
            return [.lookAt]
        case .requestCompleted(let isWhole, let run):
            return requestCompleted(event, isWhole: isWhole, run: run)
        case .sendingStalls:
            guard request != .none, stage == .serving else { return [] }
            var actions = ClientActions()
            allowStall(&actions)
            return actions

        case .closingResponse(let now): return closingResponse(event, at: now)
        case .closingSent(let now):
            guard stage == .leaving else { reject(event) }
            unread?.extend(at: now)
            return []
        case .closingFailed:
            guard stage == .leaving else { reject(event) }
            return leave()
        case .closingEnded:
            guard stage == .leaving else { reject(event) }
            isClosingSent = true
            return leave()
        case .closingAttended:
            guard stage == .leaving else { reject(event) }
            guard isClosingDue else { return [] }
            isClosingDue = false
            return [.sendClosing, .dropInput]
        case .closingTimePassed(let now, let unreceived):
            guard isLeaving, unread != nil else { reject(event) }
            guard stage == .leaving, unread?.isOver(at: now, unreceived: unreceived) == true else {
                return []
            }
            return leave()
        case .inputDropped(let step): return inputDropped(event, step)

        case .servingEnds(let now, let unreceived):
            // A close would reset the connection, and destroy what is on its way, once the client sends more.
            guard stage == .serving, request == .none, completedRequests > 0, scanner.fault == nil,
                !libraryHasClosed, unreceived ?? 0 > 0
            else { return [] }
            return closingResponse(event, at: now)
        case .daemonStops: return daemonStops()
        case .closes(let run): return closes(event, run: run)
        }
    }

    private func reject(_ event: Event) -> Never {
        preconditionFailure("\(event) while \(self)")
    }

    // MARK: The socket

    private mutating func socketChanged(_ change: End) -> ClientActions {
        mayBeReadable = true
        let isNew = change > end
        end = max(end, change)
        if isLeaving {
            isClosingDue = true
            return []
        }
        var actions = ClientActions()
        if sleep == .inHandshake {
            sleep = .none
            actions.append(.resume)
        }
        actions.append(.reportNews)
        guard isNew else { return actions }
        // > Where the end of a connection comes with its last bytes, 0.9.75 misses it; not with TLS, where it reads until there is nothing.
        if !isEncrypted { actions.append(.awaitAnswers) }
        if hasHead { actions.append(.reportEnd) }
        return actions
    }

    private mutating func handshakeWaits(_ event: Event, hasNews: Bool) -> ClientActions {
        guard stage == .handshake else { reject(event) }
        // An end that came with bytes is not read before the next call, and is told once.
        guard !hasNews, end == .none, sleep == .none, !isStopping else { return [] }
        sleep = .inHandshake
        return [.suspend]
    }

    // MARK: What is read

    private mutating func readEnded(isShort: Bool, hasHeld: Bool) -> ClientActions {
        var actions = ClientActions()
        if !scanner.isInHead {
            stopHeadTimer(&actions)
        } else if !isHeadTimed || headIndex != scanner.completeRequests {
            isHeadTimed = true
            headIndex = scanner.completeRequests
            actions.append(.startHeadTimer)
        }
        if scanner.fault != nil {
            if !isRefusalRequested { actions.append(.requestRefusal) }
            isRefusalRequested = true
            return actions
        }
        // The library believes that there is nothing to read: it hears of what there is, once it may have it.
        guard isShort, hasHeld || isEncrypted || mayBeReadable else { return actions }
        if isDue { actions.append(.announceReadable) } else { owesReading = true }
        return actions
    }

    private mutating func stopHeadTimer(_ actions: inout ClientActions) {
        if isHeadTimed { actions.append(.stopHeadTimer) }
        isHeadTimed = false
    }

    // MARK: The request

    private mutating func read(_ event: Event) -> ClientActions {
        switch (event, request) {
        case (.requestBegan, .none):
            guard stage == .serving else { reject(event) }
            request = .begun
        case (.headReceived, .begun):
            request = .head
            var actions = ClientActions()
            // It is reported once the request is there that it concerns.
            if end != .none { actions.append(.reportEndLater) }
            if isDue { allowStall(&actions) }
            return actions
        case (.headHeld, .head): request = .held
        case (.headReleased, .held): request = .head
        case (.bodyArrived, .head), (.bodyArrived, .body): request = .body
        case (.requestEnded, .head), (.requestEnded, .body): request = .complete
        default: reject(event)
        }
        return []
    }

    /// A request is in progress that the client has not sent, or whose response it has not received.
    ///
    /// > 0.9.75 closes a connection on which it neither received nor sent anything for a while. It does not count that a slow client
    /// receives what the system holds of its response.
    private mutating func allowStall(_ actions: inout ClientActions) {
        if !allowsStall { actions.append(.allowStall) }
        allowsStall = true
    }

    private mutating func requestSleeps() -> ClientActions {
        // > 0.9.75 aborts the process if it is stopped while a connection is suspended.
        guard sleep == .none, !isStopping else { return [] }
        sleep = .inRequest
        return [.suspend]
    }

    private mutating func requestCompleted(_ event: Event, isWhole: Bool, run: UInt) -> ClientActions {
        guard request != .none, !isWhole || response == .queued else { reject(event) }
        completedRequests += 1
        (request, response, isAbandoned, sleep) = (.none, .none, false, .none)
        guard isWhole else {
            libraryHasClosed = true
            return [.lookAt]
        }
        answeredInRun = run
        var actions = ClientActions()
        if allowsStall { actions.append(.limitIdleness) }
        allowsStall = false
        // What came behind it may be read.
        if owesReading { actions.append(.announceReadable) }
        owesReading = false
        return actions
    }

    // MARK: The last response

    private mutating func closingResponse(_ event: Event, at now: Int) -> ClientActions {
        guard stage == .serving, response == .none else { reject(event) }
        stage = .leaving
        if request != .none { response = .closing }
        unread = UnreadInput(at: now)
        isClosingDue = true
        var actions = ClientActions()
        stopHeadTimer(&actions)
        actions.append(.dropHeld)
        if sleep == .inRequest { sleep = .untilGone }
        if sleep == .none, !isStopping {
            sleep = .untilGone
            actions.append(.suspend)
        }
        actions.append(.requestRun)
        actions.append(.sendClosing)
        return actions
    }

    private mutating func leave() -> ClientActions {
        stage = .gone
        var actions: ClientActions = [isClosingSent ? .endSending : .cutOff]
        if sleep == .untilGone {
            sleep = .none
            actions.append(.resume)
        }
        actions.append(.requestRun)
        return actions
    }

    private mutating func inputDropped(_ event: Event, _ step: UnreadInput.Step) -> ClientActions {
        guard isLeaving else { reject(event) }
        switch step {
        case .more: isClosingDue = true
        case .failed: if stage == .leaving { return leave() }
        // The client reads on: the response is still on its way.
        case .ended, .later: break
        }
        return []
    }

    // MARK: The end

    private mutating func daemonStops() -> ClientActions {
        isStopping = true
        if stage == .leaving { return leave() }
        guard sleep != .none else { return [] }
        sleep = .none
        return [.resume]
    }

    private mutating func closes(_ event: Event, run: UInt) -> ClientActions {
        guard request == .none else { reject(event) }
        var actions = ClientActions()
        // > The library closes a connection in the run in which it has sent the last response.
        let isAnsweredJustNow = isLeaving ? isClosingSent : answeredInRun.map { $0 &+ 1 >= run } ?? false
        if isAnsweredJustNow, !hasReadEnd, !isStopping { actions.append(.linger) }
        stopHeadTimer(&actions)
        stage = .closed
        return actions
    }
}
