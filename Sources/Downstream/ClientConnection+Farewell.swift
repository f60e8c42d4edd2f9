internal import Glibc

/// A last answer that is written past the library, while the client may still send.
///
/// What the client sends meanwhile is read and dropped: it may not read before it has sent everything. The library sleeps: nothing
/// that it may want to do, `100 Continue` included, has a place behind the answer. Once all of the answer is on its way, the library is
/// woken and closes the connection as it does behind an answer of its own; see ``HTTPDaemon/linger(behind:)``.
extension ClientConnection {
    /// A last answer on its way.
    struct Farewell {
        let answer: [UInt8]
        var sentBytes = 0
        /// What is read until the answer is sent; its time begins anew whenever the client takes a part of the answer.
        var input = UnreadInput()
        /// Whether all of the answer has been sent, and our side ended.
        var hasEnded = false
        /// Whether something may be done: the socket has news, or has not been emptied.
        var isDue = true
        /// Whether nothing is left to be done: the library may close the connection.
        var isOver = false

        init(answer: [UInt8]) { self.answer = answer }
    }

    /// Whether the last answer has been given.
    var isLeaving: Bool { farewell != nil }

    /// Whether the last answer has been given, and the connection is over.
    var isGone: Bool { farewell?.isOver ?? false }

    /// Gives the last answer; what cannot be sent at once follows in ``attendFarewell()``.
    func leave(_ answer: ClosingAnswer) {
        guard farewell == nil else { return }
        farewell = Farewell(answer: answer.bytes)
        endHead()
        (held, heldStart) = ([], 0)
        putLibraryToSleep()
        daemon.noteLeaving(self)
        sendRest()
    }

    /// Sends what is left of the last answer, and drops what the client has sent.
    func attendFarewell() {
        guard farewell?.isDue == true, !isGone else { return }
        farewell?.isDue = false
        sendRest()
        if !isGone { dropUnread() }
    }

    /// Ends the connection, whatever has become of the answer; ``HTTPDaemon/run()`` must follow.
    func endFarewell() {
        guard farewell?.isOver == false else { return }
        farewell?.isOver = true
        if farewell?.hasEnded != true { cutOff() }
        wakeLibrary()
        daemon.delegate?.daemonIsReady(daemon)
    }

    private func sendRest() {
        guard var farewell, !farewell.hasEnded else { return }
        while farewell.sentBytes < farewell.answer.count {
            let written = unsafe farewell.answer.withUnsafeBytes { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes[farewell.sentBytes...]))
            }
            switch written {
            case .bytes(let count):
                farewell.sentBytes += count
                farewell.input.endsAt = HTTPDaemon.milliseconds + UnreadInput.time
            case .later:
                self.farewell = farewell
                return
            case .failed: return endFarewell()
            }
        }
        self.farewell = farewell
        guard session?.sayGoodbye() ?? true else { return }
        self.farewell?.hasEnded = true
        shutdown(socket, Int32(SHUT_WR))
        endFarewell()
    }

    private func dropUnread() {
        switch farewell?.input.drop(from: socket) {
        case .more: farewell?.isDue = true
        case .failed: endFarewell()
        // The client reads on: the answer is still on its way.
        case .ended, .later, nil: break
        }
    }
}
