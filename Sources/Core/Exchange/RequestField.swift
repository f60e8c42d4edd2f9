internal import Wire

/// The request fields that mean something to Weir; all others are the provider's business.
enum RequestField {
    /// Of this connection only: never forwarded (RFC 9110 7.6.1).
    case hopByHop
    /// What the client writes of `Connection`: it may name more fields that are of this connection only.
    case connection
    case host
    case contentLength
    case transferEncoding
    case expect
    /// Tells a third party about the client's network: not forwarded.
    case revealing
    case authorization
    case accept
    case contentType
    case requestID
    case errorFormat
    case prefer
    case priority
    case maxForwards
    case via
    case other

    /// What the field called `name` is; its case does not matter.
    init(_ name: borrowing Span<UInt8>) {
        // Few lengths hold more than two known names, so most fields cost one switch.
        switch name.count {
        case 2: self = name.equalsIgnoringCase("te") ? .hopByHop : .other
        case 3: self = name.equalsIgnoringCase("via") ? .via : .other
        case 4: self = name.equalsIgnoringCase("host") ? .host : .other
        case 6:
            self =
                name.equalsIgnoringCase("accept")
                ? .accept
                : name.equalsIgnoringCase("expect")
                    ? .expect : name.equalsIgnoringCase("prefer") ? .prefer : .other
        case 7:
            self =
                name.equalsIgnoringCase("upgrade") || name.equalsIgnoringCase("trailer")
                ? .hopByHop : name.equalsIgnoringCase("baggage") ? .revealing : .other
        case 8: self = name.equalsIgnoringCase("priority") ? .priority : .other
        case 9:
            self =
                name.equalsIgnoringCase("forwarded") || name.equalsIgnoringCase("x-real-ip")
                ? .revealing : .other
        case 10:
            self =
                name.equalsIgnoringCase("connection")
                ? .connection
                : name.equalsIgnoringCase("keep-alive")
                    ? .hopByHop : name.equalsIgnoringCase("tracestate") ? .revealing : .other
        case 11: self = name.equalsIgnoringCase("traceparent") ? .revealing : .other
        case 12:
            self =
                name.equalsIgnoringCase("content-type")
                ? .contentType
                : name.equalsIgnoringCase("x-request-id")
                    ? .requestID : name.equalsIgnoringCase("max-forwards") ? .maxForwards : .other
        case 13: self = name.equalsIgnoringCase("authorization") ? .authorization : .other
        case 14:
            self =
                name.equalsIgnoringCase("content-length")
                ? .contentLength
                : name.equalsIgnoringCase("x-error-format")
                    ? .errorFormat : name.equalsIgnoringCase("http2-settings") ? .hopByHop : .other
        case 15: self = name.equalsIgnoringCase("x-forwarded-for") ? .revealing : Self.longer(name)
        case 16: self = name.equalsIgnoringCase("proxy-connection") ? .hopByHop : Self.longer(name)
        case 17:
            self = name.equalsIgnoringCase("transfer-encoding") ? .transferEncoding : Self.longer(name)
        case 18, 19: self = Self.longer(name)
        default: self = name.count > 19 ? Self.longer(name) : .other
        }
    }

    private static func longer(_ name: borrowing Span<UInt8>) -> RequestField {
        if name.startsIgnoringCase(with: "x-forwarded-") { return .revealing }
        if name.startsIgnoringCase(with: "proxy-auth") { return .hopByHop }
        return .other
    }
}
