internal import CFrames

/// What the frames of one HTTP/2 request and its response have shown.
struct StreamRecord {
    /// The error code of a stream that was not processed (RFC 9113 7).
    static let refused: UInt32 = 7
    /// The error code of a request that must be sent over HTTP/1.1.
    static let http11Required: UInt32 = 13

    /// The connection on which it was sent; 0 before that.
    var connection: UInt = 0
    /// The number of its stream on the connection.
    var stream: Int32 = 0
    /// Whether the connection still exists.
    var isOpen = false
    /// Whether a response has begun, or an interim one.
    var hasBegun = false
    /// Whether the head of the response is complete.
    var hasHead = false
    /// Whether the response is complete.
    var hasEnded = false
    /// The status of the last head.
    var status = 0
    /// The length of the body declared by this head, if any.
    var length: Int64?
    private var hasBadLength = false
    /// How many bytes of the response's body were received.
    var bodyBytes: Int64 = 0
    /// The error code with which the provider reset the stream.
    var reset: UInt32?
    /// The error code with which either side closed the stream.
    var closed: UInt32 = 0
    /// Whether the provider violated the protocol, so that the connection was abandoned.
    var isViolated = false

    /// Records a Content-Length of the head.
    mutating func takeLength(_ number: UInt32) {
        let announced = number == CFRAMES_NO_LENGTH ? nil : Int64(number)
        // Two different lengths count as none.
        hasBadLength = hasBadLength || announced == nil || length != nil && length != announced
        length = hasBadLength ? nil : announced
    }

    /// Records the status of a head, whose fields follow.
    mutating func takeStatus(_ number: UInt32) {
        status = Int(number)
        (length, hasBadLength) = (nil, false)
    }

    /// Whether the head of the response and the whole declared body were received.
    ///
    /// > RFC 9113 8.1: a reset that follows a complete response takes nothing of it back. That END_STREAM is missing changes nothing
    /// for a body whose length is known.
    ///
    /// - Parameter isHead: whether the request's method is HEAD.
    func isWholeByLength(isHead: Bool) -> Bool {
        guard hasHead, status >= 200 else { return false }
        if isHead || status == 204 || status == 304 { return true }
        return length == bodyBytes
    }

    /// Whether the request was sent, and therefore sent over HTTP/2.
    var isSent: Bool { connection != 0 }

    /// Whether the provider violated the protocol: the stream or its connection was closed for that reason.
    ///
    /// > libcurl closes streams with STREAM_CLOSED when it has done with them.
    var isViolation: Bool { isViolated || reset == nil && [1, 3, 6, 9].contains(closed) }

    /// Whether the provider reports that it did not process the request, and has not shown otherwise.
    var isRefused: Bool { !hasBegun && (reset ?? closed) == Self.refused }
}

/// Observes the HTTP/2 frames of a multi's connections.
///
/// > libcurl reports a stream that was refused as it does a dead connection, and one that the provider reset, or never ended, in some
/// cases as a complete response.
final class FrameObserver {
    /// Whether frames can be observed at all.
    static let isAvailable = cframes_are_observed() != 0

    /// The state of each request in flight, by the address of its easy handle.
    private var records: [UInt: StreamRecord] = [:]
    private var transfers: [UInt: CurlTransfer] = [:]
    /// Whether the first request was sent on a connection since this was last set to false.
    var hasNewConnection = false

    /// The transfers whose response was complete before their request.
    var early: [CurlTransfer] = []
    /// The transfers whose provider violated the protocol.
    var violated: [CurlTransfer] = []

    /// A transfer is added to libcurl.
    func begin(_ transfer: CurlTransfer) {
        let address = transfer.easy.address
        records[address] = StreamRecord()
        transfers[address] = transfer
    }

    /// The transfer with this handle was removed from libcurl.
    func end(_ easy: UInt) {
        records[easy] = nil
        transfers[easy] = nil
    }

    /// What the frames of a request have shown so far.
    subscript(_ easy: UInt) -> StreamRecord? { records[easy] }

    /// Records an event of a stream or a connection.
    ///
    /// - Returns: for the end of a stream, whether its response is complete; for a larger window, whether it must be
    ///   withheld from the provider.
    func record(_ event: cframes_event, of connection: UInt, request: UInt?, number: UInt32) -> Bool {
        guard let request else {
            switch event {
            case CFRAMES_VIOLATION: recordViolation(of: connection)
            case CFRAMES_GONE: recordEnd(of: connection)
            default: break
            }
            return false
        }
        // The user data of a stream is trusted as an easy handle of this multi only if it is found here.
        guard var record = records[request] else { return false }
        if event == CFRAMES_ALLOWANCE { return transfers[request]?.isWindowClosed == true }
        switch event {
        case CFRAMES_REQUEST:
            record = StreamRecord()
            record.connection = connection
            record.stream = Int32(truncatingIfNeeded: number)
            record.isOpen = true
            if number == 1 { hasNewConnection = true }
        case CFRAMES_STATUS: record.takeStatus(number)
        case CFRAMES_LENGTH: if !record.hasHead { record.takeLength(number) }
        case CFRAMES_HEAD:
            record.hasBegun = true
            record.hasHead = record.status >= 200
        case CFRAMES_DATA: record.bodyBytes += Int64(number)
        case CFRAMES_END:
            record.hasEnded = true
            if let transfer = transfers[request], transfer.isUploading { early.append(transfer) }
        case CFRAMES_RESET where !record.hasEnded:
            if record.isWholeByLength(isHead: transfers[request]?.isHead == true) {
                record.hasEnded = true
                if let transfer = transfers[request], transfer.isUploading { early.append(transfer) }
            } else {
                record.reset = number
            }
        case CFRAMES_RESET: break
        case CFRAMES_CLOSED: if !record.hasEnded { record.closed = number }
        default: return false
        }
        records[request] = record
        return record.hasEnded
    }

    /// Lets the provider send this many bytes of a response ahead; returns false if that is not possible.
    func setWindow(of easy: UInt, to size: Int32) -> Bool {
        guard let record = records[easy], record.isOpen,
            let connection = unsafe UnsafeRawPointer(bitPattern: record.connection)
        else { return false }
        unsafe cframes_set_window(connection, record.stream, size)
        return true
    }

    private func recordEnd(of connection: UInt) {
        for (easy, record) in records where record.connection == connection { records[easy]?.isOpen = false }
    }

    private func recordViolation(of connection: UInt) {
        for (easy, record) in records where record.connection == connection && !record.hasEnded {
            records[easy]?.isViolated = true
            if let transfer = transfers[easy] { violated.append(transfer) }
        }
    }
}
