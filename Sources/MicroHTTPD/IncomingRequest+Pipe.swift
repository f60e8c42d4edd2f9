internal import CMicroHTTPD
internal import CReceive
internal import Glibc
internal import Splicing

/// The body of an answer that goes past libmicrohttpd: in a pipe, of which it knows the number of bytes alone.
///
/// > 0.9.75 and 1.0.1 keep in mind where its block begins within the body, and how many bytes are in it. They call send() for what is left of
/// them, adds what send() returns, and asks for more when all of it has gone; if that was less, it waits until the socket is writable.
extension IncomingRequest {
    /// Bytes in a pipe that stand for those of the library's block, where nothing is.
    struct PipedBlock {
        let pipe: SocketPipe
        /// The address behind the block's last byte.
        let end: UInt
    }

    /// Whether ``BodyRead/piped(_:)`` can be answered: there is no TLS, and the library sends as it is known to.
    public final var takesPipes: Bool { client?.isEncrypted == false && Self.librarySendsAsKnown }

    private static let librarySendsAsKnown =
        creceive_sends_are_used() != 0 && LibraryVersion.isKnown

    /// Sees to it that the bytes of a pipe are sent where the library sends the block that it believes them in.
    ///
    /// - Returns: what the content reader answers.
    func sendFrom(_ pipe: SocketPipe, insteadOf room: UnsafeMutableRawBufferPointer) -> Int {
        guard let client, pipedBlock == nil, pipe.count > 0, pipe.count <= room.count else {
            pipeReturns(pipe)
            return -2  // MHD_CONTENT_READER_END_WITH_ERROR
        }
        pipedBlock = PipedBlock(pipe: pipe, end: UInt(bitPattern: room.baseAddress) + UInt(pipe.count))
        client.daemon.divertsSends(by: 1)
        return pipe.count
    }

    /// Sends for the library; as send() does, with `errno`.
    ///
    /// - Returns: `nil` if nothing of its answer is in a pipe.
    func sendPiped(_ bytes: UnsafeRawPointer?, _ count: Int, on socket: Int32) -> Int? {
        guard let block = pipedBlock else { return nil }
        // What is sent must be what the pipe stands for, or the client would get bytes out of their order.
        guard UInt(bitPattern: bytes) == block.end - UInt(block.pipe.count), count <= block.pipe.count else {
            errno = EPIPE
            return -1
        }
        let sent = block.pipe.drain(into: socket, atMost: count)
        if sent > 0 { pipeHasMoved() }
        if block.pipe.count == 0 { giveUpPipe() }
        return sent
    }

    /// Lets the pipe go, with what may be in it.
    func giveUpPipe() {
        guard let block = pipedBlock else { return }
        pipedBlock = nil
        client?.daemon.divertsSends(by: -1)
        pipeReturns(block.pipe)
    }
}
