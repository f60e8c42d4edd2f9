internal import Core
internal import Glibc
internal import Upstream
internal import Wire

/// Converts a transfer without a usable response, by its fault and our own timers, to a fault of Weir.
enum UpstreamFailure {
    /// The failure of a transfer that has ended.
    ///
    /// - Parameters:
    ///   - timer: our timer that ended it, if one did.
    ///   - hasHead: whether the head of the response is complete.
    ///   - isStreaming: whether the client has received the head.
    static func fault(
        of outcome: TransferOutcome, timer: ExchangeTimer?, hasHead: Bool, isStreaming: Bool = false
    ) -> Fault {
        let stage: ExchangeStage =
            hasHead ? (isStreaming ? .streaming : .relaying) : (outcome.wasSent ? .sent : .connecting)
        if let timer, let fault = Fault(timer, in: stage) { return fault }
        guard let fault = outcome.fault else { return Fault(.connectionLost, effect: .unknown) }
        let effect = outcome.wasSent ? Effect.unknown : .none
        return connectionFault(fault, effect: effect) ?? answerFault(fault, effect: effect, hasHead: hasHead)
    }

    /// What prevented the request from being sent, or from being sent on a new connection.
    private static func connectionFault(_ fault: TransferFault, effect: Effect) -> Fault? {
        func never(
            _ code: ProblemCode, _ detail: Text, _ error: ProxyErrorType, isTransient: Bool? = nil
        ) -> Fault {
            Fault(code, detail: detail, effect: effect, proxyError: error, isTransient: isTransient)
        }
        switch fault {
        case .nameNotResolved:
            return never(.providerUnreachable, "The provider's name could not be resolved.", .dnsError)
        case .connectFailed(let number): return connectFault(number, effect: effect)
        case .connectTimedOut:
            return never(
                .providerTimeout, "No connection to the provider could be made in time.", .connectionTimeout)
        case .proxyRefused(let status):
            return never(
                .providerUnreachable, Text("The proxy on the way to the provider answered \(status)."),
                .destinationUnavailable, isTransient: passesByItself(proxyStatus: status))
        case .proxyFailed:
            return never(
                .providerUnreachable, "The proxy on the way to the provider closed the connection.",
                .destinationUnavailable)
        case .prohibitedAddress:
            return never(
                .providerUnreachable, "The provider's name leads to a private address.",
                .destinationIPProhibited, isTransient: false)
        case .handshakeCut:
            return never(
                .providerUnreachable, "The provider closed the connection during the TLS handshake.",
                .connectionTerminated)
        case .tlsUntrusted(let words):
            let detail = sentence("The provider's certificate is not trusted", words)
            return never(.tlsFailure, detail, .tlsCertificateError)
        case .tlsHandshake(let words):
            let detail = sentence("No secure connection to the provider could be agreed on", words)
            return never(.tlsFailure, detail, .tlsProtocolError)
        case .tlsAlert(let words):
            return never(
                .tlsFailure, sentence("The provider ended the secure connection", words), .tlsAlertReceived)
        case .tlsFiles(let words): return never(.tlsFailure, Text(words), .proxyConfigurationError)
        default: return nil
        }
    }

    /// Whether a proxy that rejected the tunnel with this status may accept it later: not if it asks for a different
    /// request, such as one with a password (407).
    private static func passesByItself(proxyStatus status: Int) -> Bool {
        status >= 500 && status != 501 && status != 505 || [408, 421, 425, 429].contains(status)
    }

    /// What happened, with the library's message.
    private static func sentence(_ what: String, _ words: String) -> Text {
        Text(words.isEmpty ? "\(what)." : "\(what): \(words).")
    }

    /// What prevented a response, or made it unusable.
    private static func answerFault(_ fault: TransferFault, effect: Effect, hasHead: Bool) -> Fault {
        func bad(_ detail: Text, _ error: ProxyErrorType? = nil) -> Fault {
            Fault(.providerBadResponse, detail: detail, effect: effect, proxyError: error)
        }
        switch fault {
        case .notHTTP: return bad("The provider's answer is not HTTP.")
        case .badHead: return bad("The head of the provider's answer is not HTTP.")
        case .headTooLarge:
            return bad("The fields of the provider's answer are too large.", .httpResponseHeaderSectionSize)
        case .badLength: return bad("The provider's answer has no usable length.")
        case .badTransferCoding:
            return bad(
                "The provider's answer has a transfer coding that was not asked for.",
                .httpResponseTransferCoding)
        case .badChunk:
            return bad("The chunks of the provider's answer cannot be read.", .httpResponseTransferCoding)
        case .switchedProtocols:
            return bad("The provider switched protocols without being asked.")
        case .resendRefused, .closedBeforeAnswer:
            return Fault(
                .connectionLost, detail: "The provider closed the connection before it answered.",
                effect: effect)
        case .notProcessed:
            return Fault(
                .connectionLost, detail: "The provider refused the request before it processed it.",
                effect: Effect.none)
        case .streamReset(let code):
            let name = HTTP2ErrorName.of(code)
            return Fault(
                .connectionLost,
                detail: hasHead
                    ? Text("The provider reset the stream in the middle of its answer: \(name).")
                    : Text("The provider reset the stream before it answered: \(name)."),
                effect: effect, proxyError: hasHead ? .httpResponseIncomplete : nil)
        default:
            guard hasHead else { return Fault(.connectionLost, effect: effect) }
            return Fault(
                .connectionLost, detail: "The provider's answer broke off.", effect: effect,
                proxyError: .httpResponseIncomplete)
        }
    }

    private static func connectFault(_ number: Int32, effect: Effect) -> Fault {
        switch number {
        case ECONNREFUSED:
            return Fault(
                .providerUnreachable, detail: "The provider refused the connection.", effect: effect,
                proxyError: .connectionRefused)
        case ENETUNREACH, EHOSTUNREACH:
            return Fault(
                .providerUnreachable, detail: "There is no way to the provider's address.",
                effect: effect,
                proxyError: .destinationIPUnroutable)
        default: return Fault(.providerUnreachable, effect: effect)
        }
    }
}

/// The names of HTTP/2's error codes (RFC 9113 7).
enum HTTP2ErrorName {
    private static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// The code's name, or its number if it has none.
    static func of(_ code: UInt32) -> String {
        code < UInt32(names.count) ? names[Int(code)] : "error \(code)"
    }
}

extension Fault {
    /// The fault for a client whose bytes are not a request that can be forwarded.
    init(_ fault: RequestFault, limits: RequestInspection.Limits) {
        let code: ProblemCode =
            switch fault {
            case .targetTooLong: .uriTooLong
            case .fieldsTooLarge: .headersTooLarge
            case .lengthTooLarge, .chunkTooLarge: .requestTooLarge
            default: .badClientRequest
            }
        self.init(code, detail: Text(Self.detail(of: fault, limits: limits)))
        if fault == .version { status = 505 }
    }

    private static func detail(of fault: RequestFault, limits: RequestInspection.Limits) -> String {
        switch fault {
        case .requestLine: "The request does not begin with a line such as GET /path HTTP/1.1."
        case .version: "The only versions that are spoken are HTTP/1.1 and HTTP/1.0."
        case .targetTooLong: "The request target has more than \(limits.target) bytes."
        case .fieldsTooLarge:
            "The fields have more than \(limits.fieldBytes) bytes, or are more than \(limits.fieldCount)."
        case .lineEnd: "A line of the request does not end with CR LF."
        case .fieldName: "A field has no name, no colon behind it, or a character that a name must not have."
        case .fieldValue: "A field value contains a control character."
        case .folding: "A field is folded, or begins with a blank."
        case .length: "Content-Length is not a number."
        case .lengthTooLarge, .chunkTooLarge: "The body has more than \(limits.body) bytes."
        case .lengths: "Content-Length is given twice, differently."
        case .coding: "The only Transfer-Encoding that is read is chunked, once."
        case .lengthAndCoding: "Content-Length and Transfer-Encoding exclude each other."
        case .codingInHTTP10: "HTTP/1.0 knows no Transfer-Encoding."
        case .chunkSize: "A chunk does not begin with its size and CR LF."
        case .chunkExtension: "A chunk's extension is too long, or contains a control character."
        case .chunkEnd: "A chunk is not as long as its size says."
        }
    }
}
