internal import CMicroHTTPD
internal import Glibc

/// What a request says of its answer.
extension IncomingRequest {
    /// How many requests sleep on the daemon's connections.
    public var sleepers: Int { client?.daemon.sleepers ?? 0 }

    /// Makes the client see that its answer broke off, where neither a length nor chunks would show it: the connection is reset.
    public func resetConnection() {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        // > connect() to AF_UNSPEC dissolves a connection (tcp(7)): the peer gets a reset, not a clean end.
        unsafe connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Ends the connection's socket at once; libmicrohttpd finds out at its next look.
    public func shutDownConnection() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

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
        case streamed(length: Int64?)
    }
}
