public import Core
internal import Downstream
internal import Glibc
internal import Loop
internal import Upstream

/// Establishes a connection to a provider as for a request, and reports what it looks like.
public enum ConnectionCheck {
    /// The facts; blocks its thread, for twice the provider's connect timeout at most.
    public static func run(_ provider: ProviderConfiguration) -> ProviderFacts.Connection {
        let report = ConnectionProbe.run(UpstreamOptions(provider))
        return ProviderFacts.Connection(
            fault: report.fault.map(ProviderFacts.ConnectionFault.init), address: report.address,
            milliseconds: report.milliseconds, tlsVersion: report.tlsVersion,
            chain: report.certificates.flatMap { CertificateFacts.all(in: $0) })
    }
}

extension CertificateFacts {
    /// The certificates in a PEM text, in its order; none for another text.
    public static func all(in pem: String) -> [CertificateFacts] {
        Certificate.all(in: pem).map {
            CertificateFacts(
                subject: $0.subject.isEmpty ? "a certificate without a name" : $0.subject,
                issuer: $0.issuer.isEmpty ? "an authority without a name" : $0.issuer, begins: $0.begins,
                ends: $0.ends)
        }
    }
}

extension ProviderFacts.ConnectionFault {
    fileprivate init(_ fault: TransferFault) {
        switch fault {
        case .nameNotResolved: self = .nameNotResolved
        case .connectTimedOut: self = .timedOut
        case .prohibitedAddress: self = .privateAddress
        case .proxyRefused(let status): self = .proxy(status: status)
        case .proxyFailed: self = .proxy(status: 0)
        case .tlsUntrusted(let words): self = .untrusted(words)
        case .tlsHandshake(let words), .tlsAlert(let words): self = .handshake(words)
        case .handshakeCut: self = .handshake("the connection ended")
        case .tlsFiles(let words): self = .files(words)
        case .connectFailed(let number) where number != 0:
            self = unsafe .failed(String(cString: strerror(number)))
        case .other(let words): self = .failed(words)
        default: self = .failed("no connection")
        }
    }
}

/// Resolves names with a time limit.
public enum HostLookup {
    private static func words(of status: Int32) -> String { unsafe String(cString: gai_strerror(status)) }

    /// The addresses of a host; empty after the time limit.
    public static func run(_ host: String, within limit: Duration) -> ProviderFacts.Lookup {
        var lookup = ProviderFacts.Lookup(host: host, addresses: [])
        guard let mailbox = try? Mailbox<(addresses: [String], status: Int32)>() else {
            lookup.failure = "no file descriptor is left"
            return lookup
        }
        // > getaddrinfo() may block for any time and cannot be cancelled: its thread is left alone.
        let thread = try? LoopThread(name: "weir-lookup") {
            mailbox.post(LedgerResolver.resolve(host, flags: 0))
        }
        guard let thread else {
            lookup.failure = "no thread could be started"
            return lookup
        }
        thread.detach()
        var query = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: limit.wholeNanoseconds / 1_000_000)
        while true {
            let count = unsafe poll(&query, 1, milliseconds)
            if count < 0, errno == EINTR { continue }
            break
        }
        guard let found = mailbox.takeAll().first else {
            lookup.failure = "no answer within \(milliseconds / 1000) s"
            return lookup
        }
        for text in found.addresses {
            guard let address = IPAddress(parsing: text.prefix { $0 != "%" }),
                !lookup.addresses.contains(address)
            else { continue }
            lookup.addresses.append(address)
        }
        if lookup.addresses.isEmpty {
            lookup.failure = found.status == 0 ? "no records" : words(of: found.status)
        }
        return lookup
    }
}
