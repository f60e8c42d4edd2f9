internal import Curl
internal import Glibc
internal import ProxyCore

/// What a transfer that gave no usable answer means: from libcurl's code, and our own reasons, to a fault.
enum UpstreamFailure {
    /// Which of our own deadlines passed.
    enum Timeout {
        case response
        case idle
        case total
    }

    static func fault(of outcome: CurlTransfer.Outcome, timeout: Timeout?, hasHead: Bool) -> Fault {
        if let timeout { return fault(of: timeout) }
        if let fault = outcome.fault, let described = describe(fault, outcome: outcome) { return described }
        // > libcurl calls a transfer complete whose connection was closed within the head of the answer.
        guard let error = outcome.error else { return Fault(.connectionLost, effect: .unknown) }
        let effect: Effect = outcome.wasSent ? .unknown : .none
        let said = Text("\(error)")
        switch error {
        case .couldNotResolveHost:
            return Fault(
                .providerUnreachable, detail: "The provider's name could not be resolved.",
                effect: Effect.none,
                proxyError: .dnsError)
        case .couldNotConnect: return connectFault(outcome.systemError)
        case .timedOut:
            return Fault(
                .providerTimeout, detail: "No connection to the provider could be made in time.",
                effect: Effect.none,
                proxyError: .connectionTimeout)
        case .tlsVerification:
            return Fault(
                .tlsFailure, detail: "The provider's certificate is not trusted.", effect: Effect.none,
                proxyError: .tlsCertificateError)
        case .tlsConnect:
            return Fault(
                .tlsFailure, detail: "No secure connection to the provider could be agreed on.",
                effect: Effect.none,
                proxyError: .tlsProtocolError)
        case let error where CurlError.tlsFiles.contains(error):
            return Fault(.tlsFailure, detail: said, effect: Effect.none, proxyError: .proxyConfigurationError)
        case .weirdServerReply, .http2, .http2Stream, .unsupportedProtocol:
            return Fault(.providerBadResponse, detail: "The provider's answer is not HTTP.", effect: effect)
        case .outOfMemory where !hasHead:
            return describe(.headTooLarge, outcome: outcome) ?? Fault(.providerBadResponse, effect: effect)
        case .badContentEncoding:
            return Fault(
                .providerBadResponse, detail: said, effect: effect, proxyError: .httpResponseTransferCoding)
        case .partialFile:
            return Fault(
                .connectionLost, detail: "The provider's answer broke off.", effect: effect,
                proxyError: .httpResponseIncomplete)
        default:
            return hasHead
                ? Fault(
                    .connectionLost, detail: "The provider's answer broke off.", effect: effect,
                    proxyError: .httpResponseIncomplete)
                : Fault(.connectionLost, effect: effect)
        }
    }

    private static func fault(of timeout: Timeout) -> Fault {
        switch timeout {
        case .response:
            return Fault(
                .providerTimeout, detail: "The provider did not begin to answer in time.", effect: .unknown,
                proxyError: .httpResponseTimeout)
        case .idle:
            return Fault(
                .providerTimeout, detail: "The provider stopped in the middle of its answer.",
                effect: .unknown,
                proxyError: .connectionReadTimeout)
        case .total:
            return Fault(
                .providerTimeout, detail: "The provider did not finish its answer in time.", effect: .unknown,
                proxyError: .httpResponseTimeout)
        }
    }

    private static func connectFault(_ number: Int32) -> Fault {
        switch number {
        case ECONNREFUSED:
            return Fault(
                .providerUnreachable, detail: "The provider refused the connection.", effect: Effect.none,
                proxyError: .connectionRefused)
        case ENETUNREACH, EHOSTUNREACH:
            return Fault(
                .providerUnreachable, detail: "There is no way to the provider's address.",
                effect: Effect.none,
                proxyError: .destinationIPUnroutable)
        default: return Fault(.providerUnreachable, effect: Effect.none)
        }
    }

    private static func describe(_ fault: TransferFault, outcome: CurlTransfer.Outcome) -> Fault? {
        switch fault {
        case .headTooLarge:
            return Fault(
                .providerBadResponse, detail: "The fields of the provider's answer are too large.",
                effect: .unknown,
                proxyError: .httpResponseHeaderSectionSize)
        case .badHead:
            return Fault(
                .providerBadResponse, detail: "The head of the provider's answer is not HTTP.",
                effect: .unknown)
        case .badLength:
            return Fault(
                .providerBadResponse, detail: "The provider's answer has no usable length.", effect: .unknown)
        case .resendRefused:
            return Fault(
                .connectionLost, detail: "The provider closed the connection before it answered.",
                effect: .unknown)
        case .prohibitedAddress:
            return Fault(
                .providerUnreachable, detail: "The provider's name leads to a private address.",
                effect: Effect.none,
                proxyError: .destinationIPProhibited)
        case .uploadAborted, .bodyRefused: return nil
        }
    }
}
