internal import Core
internal import Downstream
internal import Wire

/// What may keep a request from its provider before a limit does.
extension Exchange {
    /// Why the request must not be sent now, whatever its limits say; `nil` if it may.
    ///
    /// It is asked before the request takes its place in the queue and again when its turn has come: those that were sent
    /// meanwhile may have been refused. A probe that the request has been given is its own until it is sent.
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
        guard let probedCredential else { return }
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
        hasher.combine(credential.span)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
