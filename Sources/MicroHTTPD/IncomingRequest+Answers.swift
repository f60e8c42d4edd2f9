public import Splicing

/// What a request says of its answer.
extension IncomingRequest {
    /// How many requests sleep on the daemon's connections.
    public var sleepers: Int { client?.daemon.sleepers ?? 0 }

    /// What a request that has no answer yet does.
    public enum Wait: Sendable {
        /// Asks again at the next run: libmicrohttpd has something to do all the while. Cheaper than to sleep for a short while, where
        /// very many sleep.
        case poll
        /// Sleeps until ``resume()``; libmicrohttpd then sees nothing of the connection, not even its end.
        case suspend
        /// ``respond(status:fields:body:)`` was called.
        case answered
        /// Gives up: the connection is closed without an answer.
        case abandon
    }

    /// What a streamed answer has to give.
    public enum BodyRead {
        /// It wrote so many bytes, at least 1.
        case wrote(Int)
        /// It has nothing written: the next bytes are in this pipe, at least 1 and at most as many as there is room for. Only where the
        /// request ``IncomingRequest/takesPipes``; the pipe comes back with ``IncomingRequest/pipeReturns(_:)``.
        case piped(SocketPipe)
        /// Nothing yet: sleeps until ``resume()``.
        case suspend
        /// The body is complete.
        case end
        /// The body will never be complete: the client must see that it broke off.
        case abort
    }

    /// The body of an answer.
    @safe public enum Body {
        /// Memory that must stay valid until ``completed(isWhole:)``.
        case memory(UnsafeRawBufferPointer)
        /// Bytes that ``readBody(into:)`` gives one after another; with their number, if it is known.
        ///
        /// `mayBePiped`: whether they may come by ``BodyRead/piped(_:)``, of which more are taken at once.
        case streamed(length: Int64?, mayBePiped: Bool = false)
    }
}
