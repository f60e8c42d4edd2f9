internal import CReceive
internal import Glibc

/// The end of a connection behind a last answer (RFC 9112 9.6).
///
/// A socket that is closed while bytes of the client's are unread resets the connection, and the reset destroys the answer if the client
/// has not read it. So our side is ended, and what the client still sends is read and dropped, for a bounded time and amount. The library
/// sleeps meanwhile: nothing that it may want to do, `100 Continue` included, has a place behind the answer.
extension ClientConnection {
    /// A last answer on its way, and what has been read behind it.
    struct Farewell {
        /// How long, in milliseconds, the client is read behind the answer, and how many bytes of it; and how long it may take nothing of it.
        static let time = 5000
        static let bytes = 64 << 20
        /// Most bytes that are read at a time: other clients wait.
        static let burst = 1 << 20

        let answer: [UInt8]
        var sentBytes = 0
        /// When, on the monotonic clock in milliseconds, the connection is cut off.
        var endsAt: Int
        /// Whether our side has been ended.
        var hasEnded = false
        /// Whether the client has ended its side.
        var clientHasEnded = false
        var droppedBytes = 0
        /// Whether something may be done: the socket has news, or has not been emptied.
        var isDue = true
        /// Whether nothing is left to be done: the library may close the connection.
        var isOver = false
    }

    /// Whether the last answer has been given.
    var isLeaving: Bool { farewell != nil }

    /// Whether the last answer has been given, and the connection is over.
    var isGone: Bool { farewell?.isOver ?? false }

    /// Gives the last answer; what cannot be sent at once follows in ``attendFarewell()``.
    func leave(_ answer: ClosingAnswer) {
        guard farewell == nil else { return }
        farewell = Farewell(answer: answer.bytes, endsAt: HTTPDaemon.milliseconds + Farewell.time)
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
        guard !isGone else { return }
        dropUnread()
        if farewell?.hasEnded == true, farewell?.clientHasEnded == true { endFarewell() }
    }

    /// Ends the connection, whatever has become of the answer; ``HTTPDaemon/run()`` must follow.
    func endFarewell() {
        guard farewell?.isOver == false else { return }
        farewell?.isOver = true
        cutOff()
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
                farewell.endsAt = HTTPDaemon.milliseconds + Farewell.time
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
    }

    private func dropUnread() {
        guard let farewell, !farewell.clientHasEnded else { return }
        unsafe withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            var count = 0
            while count < Farewell.burst {
                let step = unsafe read(room.baseAddress, room.count, 0)
                guard step > 0 else {
                    if step == 0 {
                        self.farewell?.clientHasEnded = true
                    } else if !saysLater(step) {
                        endFarewell()
                    }
                    break
                }
                count += step
            }
            self.farewell?.droppedBytes += count
            if count >= Farewell.burst { self.farewell?.isDue = true }
        }
        if (self.farewell?.droppedBytes ?? 0) > Farewell.bytes { endFarewell() }
    }
}
