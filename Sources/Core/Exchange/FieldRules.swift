internal import Wire

/// Which fields cross the proxy, in either direction.
public enum FieldRules {
    /// What becomes of a request field.
    public enum RequestRule: Sendable {
        /// It goes to the provider as it is.
        case forward
        /// It stays here.
        case drop
        /// `Prefer`: what is not about Weir's queue goes on.
        case preference
        /// `Max-Forwards`: goes on, with one less where that means anything.
        case hops
        /// `Authorization`: goes on unless Weir has a credential of its own.
        case credential
    }

    /// What becomes of the request field `name`.
    ///
    /// Dropped is what belongs to the connection (RFC 9110 7.6.1), what libcurl writes itself, what is addressed to Weir, and what
    /// would tell a third party about the client's network or tracing.
    public static func request(_ name: Span<UInt8>) -> RequestRule {
        switch RequestField(name) {
        case .hopByHop, .connection, .host, .contentLength, .transferEncoding, .expect, .revealing,
            .errorFormat,
            .priority:
            return .drop
        case .prefer: return .preference
        case .maxForwards: return .hops
        case .authorization: return .credential
        case .accept, .contentType, .requestID, .via, .other: return .forward
        }
    }

    /// Whether `Connection` may name `name` as one of this connection: what frames or routes the message may not be taken away by it.
    public static func mayBeNamedByConnection(_ name: Span<UInt8>) -> Bool {
        switch RequestField(name) {
        case .host, .authorization, .contentLength, .transferEncoding, .contentType: return false
        default: return true
        }
    }

    /// Whether the answer's field `name` goes to the client.
    ///
    /// Dropped is what belongs to the connection, and the framing, which libmicrohttpd writes.
    public static func forwardsResponse(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 2: return !name.equalsIgnoringCase("te")
        case 7: return !name.equalsIgnoringCase("upgrade") && !name.equalsIgnoringCase("trailer")
        case 10: return !name.equalsIgnoringCase("connection") && !name.equalsIgnoringCase("keep-alive")
        case 14: return !name.equalsIgnoringCase("content-length")
        case 16: return !name.equalsIgnoringCase("proxy-connection")
        case 17: return !name.equalsIgnoringCase("transfer-encoding")
        case 18, 19, 25: return !name.startsIgnoringCase(with: "proxy-auth")
        default: return true
        }
    }

    /// Whether the answer's field `name` describes the body and not the exchange: gone once the body is rewritten (RFC 9110 8).
    public static func describesBody(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 4: return name.equalsIgnoringCase("etag")
        case 6: return name.equalsIgnoringCase("digest")
        case 11: return name.equalsIgnoringCase("content-md5") || name.equalsIgnoringCase("repr-digest")
        case 12: return name.equalsIgnoringCase("content-type")
        case 13:
            return name.equalsIgnoringCase("last-modified") || name.equalsIgnoringCase("accept-ranges")
                || name.equalsIgnoringCase("content-range")
        case 14: return name.equalsIgnoringCase("content-digest")
        case 16:
            return name.equalsIgnoringCase("content-encoding") || name.equalsIgnoringCase("content-language")
        default: return false
        }
    }

    /// Whether the answer's field `name` is true only of the bytes that the provider sent: of a body that Weir has changed a part of, it is not.
    public static func describesBytes(_ name: Span<UInt8>) -> Bool {
        describesBody(name) && !name.equalsIgnoringCase("content-type")
            && !name.equalsIgnoringCase("content-language")
    }

    /// Whether the answer's field is one that Weir writes on a problem itself.
    public static func isWrittenOnProblems(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 11: return name.equalsIgnoringCase("retry-after")
        case 12: return name.equalsIgnoringCase("x-error-code") || name.equalsIgnoringCase("x-request-id")
        default: return false
        }
    }

    /// The value of `Prefer` without the preference for a wait, which is Weir's to honour; `nil` if nothing is left.
    public static func preferenceForProvider(_ value: Span<UInt8>) -> [UInt8]? {
        var rest: [UInt8] = []
        ListElements.forEach(in: value) { element in
            if element.startsIgnoringCase(with: "wait=") { return }
            if !rest.isEmpty { rest += [0x2C, 0x20] }
            for index in 0..<element.count { rest.append(element[index]) }
        }
        return rest.isEmpty ? nil : rest
    }
}
