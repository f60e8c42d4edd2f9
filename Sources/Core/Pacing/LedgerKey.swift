internal import Wire

/// Whose requests share a ledger: a keyed hash, never the credential itself.
///
/// The caller computes it with a secret seed, so that nobody can choose credentials that collide.
public struct LedgerKey: Hashable, Sendable {
    /// The keyed hash.
    public var hash: UInt64

    /// The ledger of everything that hashes to `hash`.
    public init(hash: UInt64) { self.hash = hash }

    /// The ledger of all requests that carry no key.
    public static let none = LedgerKey(hash: 0)

    /// The one ledger of a provider whose limit does not depend on a key.
    public static let shared = LedgerKey(hash: 1)
}

/// Makes a key of bytes that nobody may see; the same in every process, where the keys are shared.
public typealias LedgerDigest = @Sendable ([UInt8]) -> UInt64

/// Finds the keys of a request: one for each scope of its provider's pacer.
public struct LedgerKeyReader: Sendable {
    private let scopes: [LimitScope]
    private let credentials: CredentialReader
    private let provider: LedgerKey
    private let onlyScope: LimitScope?
    /// Whether fields other than `Authorization` have an influence on a request's keys, and whether the query has.
    let (readsOtherFields, readsQuery): (Bool, Bool)
    private let digest: LedgerDigest?

    /// A reader.
    ///
    /// - Parameter provider: the key of all requests to this provider, different in providers that share a
    ///   pacer.
    /// - Parameter digest: makes the keys; by default they are this process's own.
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
        // What the path says is added to it: ``PacingPlan/marks(method:path:digest:)``.
        case .provider, .path, .operation: return provider
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
    /// A key of two: the same in every process, and as hard to choose as they are.
    ///
    /// Nothing is added by 0.
    public static func mix(_ key: UInt64, _ other: UInt64) -> UInt64 {
        guard other != 0 else { return key }
        var mixed = (key ^ (other &* 0x9E37_79B9_7F4A_7C15)) &+ 0x632B_E59B_D9B4_E019
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return mixed < 1 << 16 ? mixed | 1 << 63 : mixed
    }

    /// The ledger of those who have these bytes; `none` without bytes.
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
        // The upper bits tell scopes apart, 0 and 1 are taken.
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        self.init(hash: hash < 2 ? hash + 2 : hash)
    }
}

/// The keys of the last request, which are those of the next one as well if both carry the same `Authorization`: an app has one credential.
///
/// Holds that credential, in one thread's memory, and shows it to nobody.
public struct LedgerKeyMemo {
    private let reader: LedgerKeyReader
    private var authorization: [UInt8] = []
    private var keys: SIMD4<UInt64>?

    /// Remembers what `reader` finds.
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
        // Of several it may be any that counts.
        guard count == 1 else { return found }
        authorization.removeAll(keepingCapacity: true)
        forEachField { name, value in
            if name.equalsIgnoringCase("authorization") { authorization.append(value) }
        }
        keys = found
        return found
    }
}
