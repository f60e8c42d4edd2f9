internal import Loop

/// One connection of a pool: being established, in use by one transfer, or idle.
@safe final class HTTP1Connection: ReadinessHandler, CurlConnectionDelegate {
    private let pool: HTTP1Pool
    private var link: CurlConnection?
    private var transfer: HTTP1Transfer?
    /// What the loop watches the socket for; `nil` while it does not watch it.
    private var interest: Readiness?
    private var isOpen = false
    /// Whether it has carried a complete response: a later rejection by its peer does not concern the handshake.
    private var hasServed = false
    /// Until when it may be reused while it is idle, in nanoseconds of the monotonic clock.
    var idleUntil: Int64 = 0
    /// When it becomes too old to be reused, on the same clock.
    var agesAt: Int64 = 0

    init(pool: HTTP1Pool) { self.pool = pool }

    /// Sends a transfer's request as soon as the connection is established.
    func run(_ transfer: HTTP1Transfer) {
        self.transfer = transfer
        if isOpen { flush() } else { link = pool.multi.connect(for: self) }
    }

    /// Resumes a paused transfer.
    func resume() {
        guard isOpen, let transfer else { return }
        if !transfer.isReceivePaused, interest == nil { watch(for: .readable) }
        flush()
        // The socket does not signal bytes that TLS already holds.
        if self.transfer === transfer, !transfer.isReceivePaused {
            setInterest()
            if link?.mayHoldBytes == true { receive() }
        }
    }

    /// Closes the connection, whatever its state.
    func close() {
        guard let link else { return pool.forget(self) }
        if interest != nil { pool.loop.forget(link.descriptor) }
        interest = nil
        isOpen = false
        transfer = nil
        self.link = nil
        link.close()
        pool.forget(self)
    }

    // MARK: CurlConnectionDelegate

    func connection(_ connection: CurlConnection, didOpen fault: TransferFault?) {
        guard let transfer else { return close() }
        if let fault {
            end(transfer, fault: fault)
        } else {
            isOpen = true
            watch(for: .readable)
            flush()
        }
    }

    // MARK: ReadinessHandler

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        guard let transfer else { return lookWhileIdle() }
        if readiness.contains(.writable) { flush() }
        guard self.transfer === transfer else { return }
        if transfer.isReceivePaused {
            // > An end is reported whether it is asked for or not: not watched, it waits for the transfer to go on.
            if readiness.isBroken { unwatch() }
        } else if readiness.contains(.readable) || readiness.isBroken {
            receive()
        }
    }

    /// An idle connection has ended, carries unrequested bytes, or received a TLS message that does not matter here.
    private func lookWhileIdle() {
        guard let link else { return }
        switch unsafe link.receive(into: pool.room.buffer) {
        case .wouldBlock: return
        case .moved: pool.didReceiveUnrequestedBytes()
        case .ended, .failed: break
        }
        pool.dropIdle(self)
        close()
    }

    // MARK: Sending

    private func flush() {
        guard let transfer, let link else { return }
        switch transfer.write(to: link) {
        case .done, .blocked, .broken: setInterest()
        case .neverSent:
            if let alert = receivedAlert() { return end(transfer, fault: alert) }
            // It had died while it was idle: nothing has reached the provider, so another connection may be used.
            close()
            transfer.runElsewhere()
        case .failed(let fault): end(transfer, fault: fault)
        }
    }

    // MARK: Receiving

    /// The alert with which the peer has rejected the connection before sending anything.
    private func receivedAlert() -> TransferFault? {
        guard let link, link.isTLS, let transfer,
            case .failed = unsafe link.receive(into: pool.room.buffer), let alert = link.alert
        else { return nil }
        return transfer.fault(of: alert, refusesAll: !hasServed && alert.refusesHandshake)
    }

    /// The fault for a failure to receive.
    private func faultOfFailure(_ transfer: HTTP1Transfer) -> TransferFault? {
        guard !transfer.parser.hasBegun, let alert = link?.alert else {
            return transfer.faultOfEnd(isClean: false)
        }
        return transfer.fault(of: alert, refusesAll: !hasServed && alert.refusesHandshake)
    }

    /// Receives into the memory of the body's reader.
    ///
    /// - Returns: how many bytes; after 0, the socket signals more. If the connection has ended, the transfer is
    ///   over, and its delegate is notified later.
    func pull(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard let link, let transfer else { return 0 }
        var count = 0
        repeat {
            switch unsafe link.receive(into: UnsafeMutableRawBufferPointer(rebasing: room[count...])) {
            case .moved(let more): count += more
            case .wouldBlock: return count
            case .ended:
                end(transfer, fault: transfer.faultOfEnd(isClean: true))
                return count
            case .failed:
                end(transfer, fault: faultOfFailure(transfer))
                return count
            }
            // A TLS record is smaller than the buffer, and the next one may have arrived already.
        } while count < room.count && link.mayHoldBytes
        return count
    }

    /// Whether there may be bytes that the socket does not signal.
    var mayHoldBytes: Bool { link?.mayHoldBytes == true }

    private func receive() {
        guard let link else { return }
        let room = unsafe pool.room.buffer
        // A large body bypasses this buffer and is received directly by its reader.
        if let transfer, !transfer.isReceivePaused, transfer.isLeftToReader(piece: room.count) {
            return setInterest()
        }
        while let transfer, !transfer.isReceivePaused {
            switch unsafe link.receive(into: room) {
            case .moved(let count):
                let step = unsafe transfer.take(UnsafeRawBufferPointer(rebasing: room[0..<count]))
                switch step {
                case .more:
                    if count < room.count, !link.mayHoldBytes { return }
                case .complete(let isExact):
                    if !isExact { pool.didReceiveUnrequestedBytes() }
                    let mayHoldMore = count == room.count || link.mayHoldBytes
                    return complete(transfer, isExact: isExact && !(mayHoldMore && holdsMore()))
                case .failed(let fault): return end(transfer, fault: fault)
                }
            case .wouldBlock: return
            case .ended: return end(transfer, fault: transfer.faultOfEnd(isClean: true))
            case .failed: return end(transfer, fault: faultOfFailure(transfer))
            }
        }
        if transfer != nil { setInterest() }
    }

    /// The response is complete: the connection is kept if possible.
    private func complete(_ transfer: HTTP1Transfer, isExact: Bool) {
        guard isExact, transfer.leavesConnectionUsable else { return end(transfer, fault: nil) }
        self.transfer = nil
        hasServed = true
        setInterest()
        pool.keep(self, seconds: transfer.response.keepAliveSeconds)
        transfer.finish(nil)
    }

    /// Whether bytes follow the response: they would be taken for the next one.
    private func holdsMore() -> Bool {
        guard let link else { return false }
        switch unsafe link.receive(into: pool.room.buffer) {
        case .wouldBlock: return false
        case .moved: pool.didReceiveUnrequestedBytes()
        case .ended, .failed: break
        }
        return true
    }

    private func end(_ transfer: HTTP1Transfer, fault: TransferFault?) {
        close()
        transfer.finish(fault)
    }

    // MARK: Watching

    /// Watches the socket for what the transfer needs now.
    func setInterest() {
        guard isOpen, interest != nil else { return }
        var wanted: Readiness = []
        if transfer?.isReceivePaused != true { wanted.insert(.readable) }
        if transfer?.isBlocked == true { wanted.insert(.writable) }
        if wanted != interest { watch(for: wanted) }
    }

    private func watch(for wanted: Readiness) {
        guard let link else { return }
        do {
            try pool.loop.watch(link.descriptor, for: wanted, handler: self)
            interest = wanted
        } catch {
            // The kernel's limit on watches is reached: an unwatched connection would hang.
            interest = nil
            if let transfer { end(transfer, fault: .other("\(error)")) } else { close() }
        }
    }

    private func unwatch() {
        guard let link else { return }
        interest = nil
        pool.loop.unwatch(link.descriptor)
    }
}

/// A receive buffer that is reused for each call.
@safe public final class ReceiveRoom {
    /// Larger than what one call usually returns, so that a body of a megabyte takes few calls.
    private static let size = 64 << 10

    let buffer: UnsafeMutableRawBufferPointer

    /// Allocates the buffer.
    public init() {
        unsafe buffer = .allocate(byteCount: Self.size, alignment: 64)
    }

    deinit { unsafe buffer.deallocate() }
}
