internal import HTTPTransfer
internal import MicroHTTPD
internal import ProxyCore
internal import Splicing
internal import Synchronization

/// A large answer crosses without being copied: from the provider's socket into a pipe, and from there into the client's.
extension Exchange {
    /// What is left of a body below this, in bytes, is copied: that takes no more time.
    private static let leastSpliced: Int64 = 16 << 10

    /// Whether the provider's next bytes can go past this process.
    func maySplice(from transfer: any UpstreamTransfer) -> Bool {
        takesPipes && transfer.response.bodyLength != nil && transfer.spliceableBody >= Self.leastSpliced
    }

    /// Moves the provider's next bytes into a pipe; all that came before them has been handed on.
    ///
    /// - Returns: `nil` if they have to be copied.
    func spliceBody(from transfer: any UpstreamTransfer, atMost room: Int) -> BodyRead? {
        guard maySplice(from: transfer), let pipe = worker.pipes.take() else { return nil }
        // With the last bytes the transfer ends in between.
        switch transfer.spliceBody(into: pipe, atMost: room) {
        case .bytes(let count):
            responseBytes += Int64(count)
            (upstreamActivity, downstreamActivity) = (worker.now, worker.now)
            service.instance.splicedBytes.add(UInt64(count), ordering: .relaxed)
            return .piped(pipe)
        case .nothing, .paused:
            worker.pipes.takeBack(pipe)
            pullHasStopped()
            return .suspend
        }
    }
}
