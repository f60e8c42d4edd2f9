internal import MicroHTTPD
internal import ProxyCore

/// What may keep a request from its provider before a limit does.
extension Exchange {
    /// Why the request must not be sent now, whatever its limits say; `nil` if it may.
    func heldBack(from provider: ProviderService) -> Fault? {
        refusedCredential(by: provider) ?? openCircuit(to: provider)
    }

    private func refusedCredential(by provider: ProviderService) -> Fault? {
        guard provider.guards.hasRefusedCredentials, let credential = credentialHash(for: provider) else {
            return nil
        }
        switch provider.guards.admit(credential: credential, at: worker.now) {
        case .admitted: return nil
        case .probe:
            probedCredential = credential
            return nil
        case .refused(let wait):
            return Fault(.credentialsQuarantined, effect: Effect.none, retryAfter: Self.seconds(wait))
        }
    }

    private func openCircuit(to provider: ProviderService) -> Fault? {
        let admission = provider.guards.admitToCircuit(at: worker.now)
        guard case .refused(let wait) = admission else {
            circuitPass = admission
            return nil
        }
        return Fault(.circuitOpen, effect: Effect.none, retryAfter: Self.seconds(wait))
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }

    /// Tells the circuit what the attempt came to, once it is over.
    func judgeCircuit() {
        guard let provider, let pass = circuitPass else { return }
        circuitPass = nil
        provider.guards.recordInCircuit(
            isFailure: CircuitBreaker.isFailure(problemCode), isProbe: pass == .probe, at: Worker.clock())
    }

    /// Tells what the provider's answer says of the credential that it got.
    ///
    /// - Parameter code: `nil` for an answer that is no error.
    func judgeCredential(_ code: ProblemCode?) {
        guard let provider else { return }
        let verdict = code.map(CredentialQuarantine.Verdict.init) ?? .taken
        probedCredential = nil
        guard provider.guards.quarantinesCredentials,
            verdict == .refused || provider.guards.hasRefusedCredentials,
            let credential = credentialHash(for: provider)
        else { return }
        provider.guards.judge(credential: credential, verdict, at: Worker.clock())
    }

    /// Gives back what the request was let through for, if nothing came of it.
    func leaveGuards() {
        guard let provider else { return }
        if circuitPass == .probe { provider.guards.returnCircuitProbe() }
        circuitPass = nil
        guard let probedCredential, attempts == 0 else { return }
        provider.guards.returnProbe(ofCredential: probedCredential)
        self.probedCredential = nil
    }

    /// The credential that the provider gets, known by a hash with this process's secret seed.
    private func credentialHash(for provider: ProviderService) -> UInt64? {
        let (target, head) = (target, head)
        guard
            let credential = provider.credentials.credential(
                target: target.span, forEachField: { head.forEachField($0) })
        else { return nil }
        var hasher = Hasher()
        hasher.combine(credential)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
