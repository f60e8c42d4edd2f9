public import HTTPTransfer
public import Splicing

/// A large body goes from the socket into a pipe, and never enters the process.
extension HTTP1Transfer {
    /// See ``UpstreamTransfer/spliceableBody``.
    public var spliceableBody: Int64 {
        isRunning && connection?.splices == true ? parser.bodyLeft : 0
    }

    /// See ``UpstreamTransfer/spliceBody(into:atMost:)``.
    public func spliceBody(into pipe: SocketPipe, atMost limit: Int) -> PulledBody {
        guard spliceableBody > 0, isPulled || !isReceivePaused, let connection, limit > 0 else {
            return .nothing
        }
        // No more than what belongs to the answer: what stands behind it must be seen.
        let count = connection.splice(into: pipe, atMost: Int(min(Int64(limit), parser.bodyLeft)))
        guard count > 0 else {
            if isPulled { stopPull() }
            return .nothing
        }
        parser.skipBody(count)
        if parser.bodyLeft == 0 {
            (isPulled, isReceivePaused) = (false, false)
            connection.completeSpliced()
            // Now, and not once more with those that wait for the turn.
            serial &+= 1
            report()
        }
        return .bytes(count)
    }
}
