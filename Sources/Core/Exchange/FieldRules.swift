internal import Wire

/// Which fields cross the proxy, in either direction.
public enum FieldRules {
    /// How a request field is handled.
    public enum RequestRule: Sendable {
        /// It is forwarded unchanged.
        case forward
        /// It is dropped.
        case drop
        /// `Prefer`: forwarded without the part for Weir's queue.
        case preference
        /// `Max-Forwards`: forwarded, decremented if it has a meaning.
        case hops
        /// `Authorization`: forwarded unless Weir has its own credential.
        case credential
    }

    /// How the request field `name` is handled.
    ///
    /// Dropped are fields of the connection (RFC 9110 7.6.1), those that libcurl writes itself, those addressed to
    /// Weir, and those that would reveal the client's network or tracing to a third party.
    public static func request(_ name: Span<UInt8>) -> RequestRule {
        switch RequestField(name) {
        case .hopByHop, .connection, .host, .contentLength, .transferEncoding, .expect, .revealing,
            .errorFormat, .accessToken,
            .priority:
            return .drop
        case .prefer: return .preference
        case .maxForwards: return .hops
        case .authorization: return .credential
        case .accept, .contentType, .requestID, .via, .other: return .forward
        }
    }

    /// Whether `Connection` may name `name` as one of this connection: it cannot remove fields that frame or route
    /// the message.
    public static func mayBeNamedByConnection(_ name: Span<UInt8>) -> Bool {
        switch RequestField(name) {
        case .host, .authorization, .contentLength, .transferEncoding, .contentType: return false
        default: return true
        }
    }

    /// Whether the response's field `name` is relayed to the client.
    ///
    /// Dropped are fields of the connection, and the framing, which libmicrohttpd writes.
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

    /// Whether the response's field `name` describes the body rather than the exchange, and is dropped if the body is
    /// rewritten (RFC 9110 8).
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

    /// Whether the response's field `name` is true only for the exact bytes that the provider sent, and not for a
    /// body that Weir has changed in part.
    public static func describesBytes(_ name: Span<UInt8>) -> Bool {
        describesBody(name) && !name.equalsIgnoringCase("content-type")
            && !name.equalsIgnoringCase("content-language")
    }

    /// Whether Weir itself writes this field on a problem.
    public static func isWrittenOnProblems(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 11: return name.equalsIgnoringCase("retry-after")
        case 12: return name.equalsIgnoringCase("x-error-code") || name.equalsIgnoringCase("x-request-id")
        default: return false
        }
    }

    /// Whether the field is one that Weir writes on an error that keeps the provider's body: `Retry-After` only if Weir knows the time.
    public static func isWrittenOnMergedErrors(_ name: Span<UInt8>, waits: Bool) -> Bool {
        switch name.count {
        case 11: return waits && name.equalsIgnoringCase("retry-after")
        case 12: return name.equalsIgnoringCase("x-error-code")
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

/// The forms of message in which a field can cross the proxy.
public enum FieldForm: Sendable, Hashable {
    /// The head of a request, sent for the first time or again.
    case request
    /// The trailers of a request.
    case requestTrailer
    /// The head of a relayed response.
    case response
    /// The head of a problem that replaces a provider's response with this status.
    case problem(status: Int)
    /// The head of a provider's error that keeps its own body; `waits`: whether Weir knows how long to wait.
    case merged(waits: Bool)
    /// An interim response.
    case interim
    /// The trailers of a response.
    case responseTrailer
}

/// The fields that `Connection` names: they belong to one connection, in the head and in the trailers (RFC 9110 7.6.1).
public struct ConnectionFields: Sendable {
    /// In lower case.
    private var names: Set<[UInt8]> = []

    /// No fields.
    public init() {}

    /// Whether no field is named.
    public var isEmpty: Bool { names.isEmpty }

    /// Adds what the value of a `Connection` field names; `close` and `keep-alive` name no field.
    public mutating func add(_ value: Span<UInt8>) {
        // Most values are exactly one of these.
        if value.equalsIgnoringCase("keep-alive") || value.equalsIgnoringCase("close") { return }
        ListElements.forEach(in: value) { element in
            guard !element.equalsIgnoringCase("close"), !element.equalsIgnoringCase("keep-alive") else {
                return
            }
            names.insert(Self.lowercased(element))
        }
    }

    /// Whether the field `name` is named.
    public func contains(_ name: Span<UInt8>) -> Bool {
        !names.isEmpty && names.contains(Self.lowercased(name))
    }

    private static func lowercased(_ name: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.count)
        for index in 0..<name.count { bytes.append(name[index].lowercasedASCII) }
        return bytes
    }
}

extension FieldRules {
    /// Whether the field `name` crosses the proxy in a message of this form.
    ///
    /// This is the only place that decides it, for both directions. ``request(_:)`` and ``ReferenceRewriter`` handle
    /// the values.
    @inline(__always)
    public static func crosses(_ name: Span<UInt8>, as form: FieldForm) -> Bool {
        switch form {
        case .request: request(name) != .drop
        case .requestTrailer, .responseTrailer: forwardsTrailer(name)
        case .response, .interim: forwardsResponse(name)
        case .merged(let waits): forwardsResponse(name) && !isWrittenOnMergedErrors(name, waits: waits)
        case .problem(let status):
            forwardsResponse(name) && !isWrittenOnProblems(name)
                && (!describesBody(name) || isRequired(name, by: status))
        }
    }

    /// Whether the field `name` crosses the proxy in a message whose `Connection` fields name others.
    public static func crosses(
        _ name: Span<UInt8>, as form: FieldForm, connection: ConnectionFields
    ) -> Bool {
        guard crosses(name, as: form) else { return false }
        guard connection.contains(name) else { return true }
        switch form {
        case .request, .requestTrailer: return !mayBeNamedByConnection(name)
        case .response, .problem, .merged, .interim, .responseTrailer: return false
        }
    }

    /// Whether a response with this status uses the field regardless of its body: a 416 has the current length of the
    /// representation in it (RFC 9110 15.5.17).
    private static func isRequired(_ name: Span<UInt8>, by status: Int) -> Bool {
        status == 416
            && (name.equalsIgnoringCase("content-range") || name.equalsIgnoringCase("accept-ranges"))
    }
}

/// Which request fields a profile may add.
extension FieldRules {
    /// Whether a credential may be in the field `name`: not in fields of the connection, in those that frame, route
    /// or describe the message, or in those that Weir interprets.
    public static func mayCarryCredential(_ name: Span<UInt8>) -> Bool {
        let dashed = dashed(name)
        let name = dashed.span
        return switch RequestField(name) {
        case .authorization: true
        case .other: !describesBody(name) && !name.startsIgnoringCase(with: "if-")
        default: false
        }
    }

    /// Why the field `name` cannot be a request default, and what is allowed; `nil` if it can.
    public static func reasonAgainstDefault(_ name: Span<UInt8>) -> String? {
        let dashed = dashed(name)
        let name = dashed.span
        switch RequestField(name) {
        case .accept, .contentType, .prefer, .requestID: return nil
        case .authorization:
            return
                "carries a credential; a key of Weir's own is the provider's `credential` in the configuration"
        case .other where name.equalsIgnoringCase("cookie"):
            return
                "carries a credential; a key of Weir's own is the provider's `credential` in the configuration"
        case .other where !name.equalsIgnoringCase("content-range"): return nil
        default:
            return
                "belongs to the connection or to the message, or is Weir's, and cannot be a default; allowed are fields such as "
                + "Accept, User-Agent or a provider's own"
        }
    }

    /// The name as read by servers that do not distinguish `_` and `-`.
    private static func dashed(_ name: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<name.count { bytes.append(name[index] == 0x5F ? 0x2D : name[index]) }
        return bytes
    }

    /// Whether two fields have the same name, or differ only in `_` and `-`, which many servers unify (RFC 3875
    /// 4.1.18).
    public static func isTwin(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard name.count == other.count else { return false }
        for index in 0..<name.count {
            let (first, second) = (name[index].lowercasedASCII, other[index].lowercasedASCII)
            guard first == second || (first == 0x5F || first == 0x2D) && (second == 0x5F || second == 0x2D)
            else {
                return false
            }
        }
        return true
    }
}

/// Which trailers cross the proxy (RFC 9110 6.5.1): none that could change, if taken for a header field, how the
/// message is framed, routed, authenticated, cached or interpreted.
extension FieldRules {
    /// The maximum size of the names and values of a message's trailers, in either direction; larger trailers are
    /// dropped.
    public static let trailerLimit = 4096

    /// Whether the trailer `name` is forwarded, in either direction.
    static func forwardsTrailer(_ name: Span<UInt8>) -> Bool {
        guard RequestField(name) == .other, forwardsResponse(name), !name.startsIgnoringCase(with: "if-"),
            !name.startsIgnoringCase(with: "ratelimit"), !name.startsIgnoringCase(with: "access-control-")
        else { return false }
        for other in headOnly where name.equalsIgnoringCase(other.span) { return false }
        return true
    }

    /// The value of `Trailer` without the names of dropped trailers; `nil` if none is left.
    public static func trailerNames(
        _ value: Span<UInt8>, as form: FieldForm, connection: ConnectionFields
    ) -> [UInt8]? {
        var rest: [UInt8] = []
        ListElements.forEach(in: value) { name in
            guard name.isToken, crosses(name, as: form, connection: connection) else { return }
            if !rest.isEmpty { rest += [0x2C, 0x20] }
            rest.append(name)
        }
        return rest.isEmpty ? nil : rest
    }

    private static let headOnly = [
        "age", "allow", "cache-control", "content-disposition", "content-encoding", "content-language",
        "content-location", "content-range", "content-security-policy", "cookie", "date", "expires",
        "idempotency-key", "location", "max-forwards", "pragma", "preference-applied", "range", "retry-after",
        "set-cookie", "strict-transport-security", "vary", "warning", "www-authenticate", "x-error-code",
    ].map { Array($0.utf8) }
}

/// The request fields that Weir interprets; all others are forwarded unchanged.
enum RequestField {
    /// Fields of this connection only: never forwarded (RFC 9110 7.6.1).
    case hopByHop
    /// The client's `Connection`: it may name more fields of this connection.
    case connection
    case host
    case contentLength
    case transferEncoding
    case expect
    /// Reveals the client's network to a third party: not forwarded.
    case revealing
    case authorization
    case accept
    case contentType
    case requestID
    case errorFormat
    /// The caller's token for Weir: never forwarded.
    case accessToken
    case prefer
    case priority
    case maxForwards
    case via
    case other

    /// The known field with this name (case-insensitive).
    init(_ name: borrowing Span<UInt8>) {
        // Few lengths have more than two known names, so most fields cost one switch.
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
                    ? .requestID
                    : name.equalsIgnoringCase("max-forwards")
                        ? .maxForwards : name.equalsIgnoringCase("x-weir-token") ? .accessToken : .other
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
