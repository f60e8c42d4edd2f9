/// The names of HTTP/2's error codes (RFC 9113 7).
enum HTTP2ErrorName {
    private static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// The code's name, or what is known of a code that has none.
    static func of(_ code: UInt32) -> String {
        code < UInt32(names.count) ? names[Int(code)] : "error \(code)"
    }
}
