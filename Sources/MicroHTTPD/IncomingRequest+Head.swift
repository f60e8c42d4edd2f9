internal import CMicroHTTPD
internal import Glibc
internal import HTTPWire

/// The head of an answer that goes to the client in place of the library's.
///
/// The library has too little memory for a large one, and has no way to leave out a length. It makes a head all the same, with what it
/// knows itself, above all how the body is framed and whether the connection goes on; the other lines are put in, or taken out, where it
/// sends that.
///
/// > 0.9.75 and 1.0.1 send a head by send() or gnutls_record_send(), all of it at first, unless a body in memory goes with it; they call
/// again with what is left of it until nothing is.
extension IncomingRequest {
    struct OwnHead {
        /// What stands before the empty line, besides the library's fields.
        let lines: [UInt8]
        /// Whether the answer has no length: the library's head says 0.
        let hasNoLength: Bool
        /// All of it, once the library's is known.
        var bytes: [UInt8] = []
        var sentBytes = 0

        init(lines: [UInt8], hasNoLength: Bool) {
            self.lines = lines
            self.hasNoLength = hasNoLength
        }

        /// Makes the head of the library's.
        ///
        /// - Returns: false if that is no head.
        mutating func make(of head: UnsafeRawBufferPointer) -> Bool {
            let head = unsafe Span<UInt8>(_unsafeBytes: head)
            let end = head.count - 4
            guard end > 0, head.extracting(0..<5).equals("HTTP/"),
                head.index(ofPair: 0x0D, 0x0A, from: end) == end,
                head.index(ofPair: 0x0D, 0x0A, from: end + 2) == end + 2
            else { return false }
            var start = 0
            while start < end {
                let next = min(head.index(ofPair: 0x0D, 0x0A, from: start), end) + 2
                let line = head.extracting(start..<next)
                if !hasNoLength || !line.startsIgnoringCase(with: "content-length:") { bytes.append(line) }
                start = next
            }
            bytes += lines
            bytes += [0x0D, 0x0A]
            return true
        }
    }

    /// What came of sending it.
    enum HeadSending {
        /// All of it has left.
        case done
        /// The socket takes no more at the moment.
        case later
        case failed
    }

    /// Sends as much of it as the socket takes.
    ///
    /// - Parameter head: the library's.
    /// - Returns: `nil` if there is none.
    func sendOwnHead(insteadOf head: UnsafeRawBufferPointer) -> HeadSending? {
        guard ownHead != nil, let client else { return nil }
        if ownHead?.bytes.isEmpty == true, unsafe ownHead?.make(of: head) == false { return .failed }
        while let own = ownHead, own.sentBytes < own.bytes.count {
            let written = unsafe own.bytes.withUnsafeBytes { bytes in
                unsafe client.write(UnsafeRawBufferPointer(rebasing: bytes[own.sentBytes...]))
            }
            switch written {
            case .bytes(let count): ownHead?.sentBytes += count
            case .later: return .later
            case .failed: return .failed
            }
        }
        giveUpOwnHead()
        return .done
    }

    func giveUpOwnHead() {
        guard ownHead != nil else { return }
        ownHead = nil
        client?.daemon.divertsSends(by: -1)
    }
}
