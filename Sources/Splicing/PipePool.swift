/// The pipes of one worker: a pipe is lent while bytes are in it, so there are as many as clients that are slow to read.
///
/// Confined to one thread.
public final class PipePool {
    private var idle: [SocketPipe] = []
    /// How many are lent.
    private var lent = 0
    /// Whether the system had none to give.
    private var isExhausted = false
    private let descriptorLimit: Int

    /// Most pipes that are lent at a time: what comes behind is copied.
    private static let limit = 128
    /// How many unused ones are kept.
    private static let idleLimit = 8

    /// A pool without pipes.
    ///
    /// - Parameter descriptorLimit: descriptors this high are kept for connections and files.
    public init(descriptorLimit: Int) { self.descriptorLimit = descriptorLimit }

    /// An empty pipe, to be given back; `nil` if there is none to be had at the moment.
    public func take() -> SocketPipe? {
        guard lent < Self.limit, !isExhausted else { return nil }
        guard let pipe = idle.popLast() ?? SocketPipe(below: descriptorLimit) else {
            isExhausted = true
            return nil
        }
        lent += 1
        return pipe
    }

    /// Takes a pipe back; one that is not empty is never lent again.
    public func takeBack(_ pipe: SocketPipe) {
        lent -= 1
        if pipe.count == 0, idle.count < Self.idleLimit { idle.append(pipe) }
    }

    /// Closes those that nobody uses, and asks the system again where it had none.
    public func closeIdle() {
        idle.removeAll(keepingCapacity: true)
        isExhausted = false
    }
}
