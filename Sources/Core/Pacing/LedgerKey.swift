internal import Wire

/// Identifies the requests that share a ledger: a keyed hash, never the credential itself.
///
/// The caller computes it with a secret seed, so that no client can choose credentials that collide.
public struct LedgerKey: Hashable, Sendable {
    /// The keyed hash.
    public var hash: UInt64

    /// The ledger of everything that hashes to `hash`.
    public init(hash: UInt64) { self.hash = hash }

    /// The ledger of all requests that carry no key.
    public static let none = LedgerKey(hash: 0)

    /// The only ledger of a limit that does not depend on a key.
    public static let shared = LedgerKey(hash: 1)
}

/// Computes a key from secret bytes; the same in every process if the keys are shared.
public typealias LedgerDigest = @Sendable ([UInt8]) -> UInt64

/// Computes the keys of a request: one for each scope of its provider's pacer.
public struct LedgerKeyReader: Sendable {
    private let scopes: [LimitScope]
    private let credentials: CredentialReader
    private let provider: LedgerKey
    private let onlyScope: LimitScope?
    /// Whether fields other than `Authorization`, and whether the query, affect a request's keys.
    let (readsOtherFields, readsQuery): (Bool, Bool)
    private let digest: LedgerDigest?

    /// A reader.
    ///
    /// - Parameter provider: the key of all requests to this provider; differs between providers that share a pacer.
    /// - Parameter digest: computes the keys; by default they are specific to this process.
    public init(
        scopes: [LimitScope], credentials: CredentialReader, provider: LedgerKey = .shared,
        digest: LedgerDigest? = nil
    ) {
        self.digest = digest
        let scopes = scopes.map(\.base)
        self.scopes = scopes
        self.credentials = credentials
        self.provider = provider
        onlyScope = Set(scopes).count == 1 ? scopes[0] : nil
        let parts = scopes.flatMap(\.parts)
        readsOtherFields =
            credentials.readsOtherFields || parts.contains { if case .header = $0 { true } else { false } }
        readsQuery = credentials.readsQuery || parts.contains { if case .query = $0 { true } else { false } }
    }

    /// The hashes of a request's keys.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func keys(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> SIMD4<UInt64> {
        if let onlyScope {
            return SIMD4(
                repeating: key(onlyScope, target: target, forEachField: forEachField).hash)
        }
        var keys = SIMD4<UInt64>(repeating: 0)
        for (index, scope) in scopes.enumerated() {
            keys[index] = key(scope, target: target, forEachField: forEachField).hash
        }
        return keys
    }

    private func key(
        _ scope: LimitScope, target: Span<UInt8>,
        forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> LedgerKey {
        switch scope {
        case .credential: return credentials.key(target: target, forEachField: forEachField)
        case .group: return .shared
        // The path's part is added later: ``PacingPlan/marks(method:path:digest:)``.
        // So is the body's: ``PacingPlan/read(body:keys:weights:digest:)``.
        case .provider, .path, .operation, .body: return provider
        case .combined(let parts):
            return parts.reduce(LedgerKey.none) { key, part in
                let other = self.key(part, target: target, forEachField: forEachField)
                return LedgerKey(hash: LedgerKey.mix(key.hash, other.hash))
            }
        case .header(let name):
            var found: [UInt8]?
            forEachField { field, value in
                if found == nil, field.equalsIgnoringCase(name.utf8.span) {
                    var copy: [UInt8] = []
                    copy.append(value)
                    found = copy
                }
            }
            return LedgerKey(hashing: found, digest: digest)
        case .query(let name):
            return LedgerKey(
                hashing: QueryParameters.first(Array(name.utf8), in: target), digest: digest)
        }
    }
}

extension LedgerKey {
    /// Combines two keys: the same in every process, and as hard to choose as they are.
    ///
    /// Adding 0 changes nothing.
    public static func mix(_ key: UInt64, _ other: UInt64) -> UInt64 {
        guard other != 0 else { return key }
        var mixed = (key ^ (other &* 0x9E37_79B9_7F4A_7C15)) &+ 0x632B_E59B_D9B4_E019
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return mixed < 1 << 16 ? mixed | 1 << 63 : mixed
    }

    /// The key for these bytes; `none` without bytes.
    public init(hashing bytes: [UInt8]?, digest: LedgerDigest? = nil) {
        guard let bytes else {
            self = .none
            return
        }
        if let digest {
            let hash = digest(bytes)
            self.init(hash: hash < 1 << 16 ? hash | 1 << 63 : hash)
            return
        }
        var hasher = Hasher()
        hasher.combine(bytes.span)
        // The upper bits distinguish scopes; 0 and 1 are reserved.
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        self.init(hash: hash < 2 ? hash + 2 : hash)
    }
}

/// Caches the keys of the last request, which also apply to the next one if both carry the same `Authorization`: an
/// app usually has one credential.
///
/// Keeps that credential in one thread's memory and never shows it.
public struct LedgerKeyMemo {
    private let reader: LedgerKeyReader
    private var authorization: [UInt8] = []
    private var keys: SIMD4<UInt64>?

    /// Caches the results of `reader`.
    public init(_ reader: LedgerKeyReader) { self.reader = reader }

    /// The same as ``LedgerKeyReader/keys(target:forEachField:)``.
    public mutating func keys(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> SIMD4<UInt64> {
        if reader.readsOtherFields || reader.readsQuery && target.index(of: 0x3F, from: 0) < target.count {
            return reader.keys(target: target, forEachField: forEachField)
        }
        var count = 0
        var isSame = false
        forEachField { name, value in
            guard name.equalsIgnoringCase("authorization") else { return }
            count += 1
            isSame = value.equals(authorization.span)
        }
        if isSame, count == 1, let keys { return keys }
        let found = reader.keys(target: target, forEachField: forEachField)
        keys = nil
        // If there are several, any of them may be the one that counts.
        guard count == 1 else { return found }
        authorization.removeAll(keepingCapacity: true)
        forEachField { name, value in
            if name.equalsIgnoringCase("authorization") { authorization.append(value) }
        }
        keys = found
        return found
    }
}
