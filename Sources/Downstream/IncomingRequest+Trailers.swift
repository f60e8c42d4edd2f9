internal import CMicroHTTPD
public import Wire

/// What stands behind a chunked body, of the request and of the answer.
extension IncomingRequest {
    /// Adds trailers to an answer that is streamed without a length to a client of HTTP/1.1.
    ///
    /// In ``readBody(into:)``, before it says ``BodyRead/end``. What does not fit into the connection's memory breaks the answer off.
    public func addTrailers(_ fields: borrowing FieldBlock) {
        // libmicrohttpd holds the answer as long as it asks for its body.
        guard let response = unsafe response else { return }
        unsafe fields.forEachTerminated { name, value in
            unsafe MHD_add_response_footer(response, name, Self.shown(value))
        }
    }

    /// The trailers of the request, once its body is complete; given once.
    public func takeTrailers() -> FieldBlock {
        client.map { $0.scanner.takeTrailers(of: $0.completedRequests + 1) } ?? FieldBlock()
    }
}
