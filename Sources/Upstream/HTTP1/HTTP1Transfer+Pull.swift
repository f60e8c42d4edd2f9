
/// A large body goes from the socket to where its reader wants it, and is not copied in between.
extension HTTP1Transfer {
    /// See ``UpstreamTransfer/pullBody(into:)``.
    public func pullBody(into room: UnsafeMutableRawBufferPointer) -> PulledBody {
        guard isRunning, isPulled || !isReceivePaused, let connection else { return .nothing }
        // The last bytes are received with room for more: what stands behind the answer must be seen.
        guard parser.certainBody >= room.count, room.count > 0 else {
            guard isPulled || connection.mayHoldBytes else { return .nothing }
            (isPulled, isReceivePaused) = (false, true)
            return .paused
        }
        let count = unsafe connection.pull(into: room)
        guard count > 0 else {
            if isPulled { stopPull() }
            return .nothing
        }
        parser.skipBody(count)
        return .bytes(count)
    }

    /// The socket is empty, and has to tell of more.
    func stopPull() {
        (isPulled, isReceivePaused) = (false, false)
        connection?.setInterest()
    }

    /// Whether its reader receives what has come, because so much of the body is still to come.
    ///
    /// - Parameter piece: at least so much, in bytes.
    func isLeftToReader(piece: Int) -> Bool {
        guard parser.certainBody >= piece, let delegate else { return false }
        switch delegate.transferMayBePulled(self) {
        case .none: return false
        case .now: return true
        case .later:
            (isPulled, isReceivePaused) = (true, true)
            return true
        }
    }
}
