internal import Core
internal import Downstream
internal import Wire

/// What may keep a request from its provider apart from its limits.
extension Exchange {
    /// Why the request must not be sent now, regardless of its limits; `nil` if it may.
    ///
    /// Called before the request enters the queue and again when it gets its slot, because other requests may have
    /// been rejected in the meantime. A probe that was given to the request stays with it until it is sent.
    func heldBack(from provider: ProviderService, at now: MonotonicTime) -> Fault? {
        refusedCredential(by: provider, at: now) ?? openCircuit(to: provider, at: now)
    }

    private func refusedCredential(by provider: ProviderService, at now: MonotonicTime) -> Fault? {
        guard probedCredential == nil, provider.guards.hasRefusedCredentials,
            let credential = credentialHash(for: provider)
        else {
            return nil
        }
        switch provider.guards.admit(credential: credential, at: now) {
        case .admitted: return nil
        case .probe:
            probedCredential = credential
            return nil
        case .refused(let wait):
            return Fault(.credentialsQuarantined, effect: Effect.none, retryAfter: Self.seconds(wait))
        }
    }

    private func openCircuit(to provider: ProviderService, at now: MonotonicTime) -> Fault? {
        guard provider.guards.hasCircuit, circuitPass != .probe else { return nil }
        let admission = provider.guards.admitToCircuit(at: now)
        guard case .refused(let wait) = admission else {
            circuitPass = admission
            return nil
        }
        return Fault(.circuitOpen, effect: Effect.none, retryAfter: Self.seconds(wait))
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }

    /// Reports the result of the attempt to the circuit breaker, once it is over.
    func judgeCircuit() {
        guard let provider, let pass = circuitPass else { return }
        circuitPass = nil
        provider.guards.recordInCircuit(
            isFailure: CircuitBreaker.isFailure(problemCode), isProbe: pass == .probe, at: Worker.clock())
    }

    /// Reports what the provider's response says about the credential.
    ///
    /// - Parameter code: `nil` for a response that is not an error.
    func judgeCredential(_ code: ProblemCode?) {
        guard let provider else { return }
        let verdict = code.map(CredentialQuarantine.Verdict.init) ?? .taken
        var isQuarantined = false
        if provider.guards.quarantinesCredentials,
            verdict == .refused || provider.guards.hasRefusedCredentials,
            let credential = credentialHash(for: provider)
        {
            isQuarantined = provider.guards.judge(credential: credential, verdict, at: Worker.clock())
        }
        if provider.credentials.injects {
            provider.guards.held.record(verdict, isQuarantined: isQuarantined, of: provider.position)
        }
    }

    /// Returns the probe that the request was given, if it was not used.
    func leaveGuards() {
        guard let provider else { return }
        if circuitPass == .probe { provider.guards.returnCircuitProbe() }
        circuitPass = nil
        guard let probedCredential else { return }
        provider.guards.returnProbe(ofCredential: probedCredential)
        self.probedCredential = nil
    }

    /// The credential that the provider receives, as a hash with this process's secret seed.
    private func credentialHash(for provider: ProviderService) -> UInt64? {
        let (target, head) = (target, head)
        guard
            let credential = provider.credentials.credential(
                target: target.span, forEachField: { head.forEachField($0) })
        else { return nil }
        var hasher = Hasher()
        hasher.combine(credential.span)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
