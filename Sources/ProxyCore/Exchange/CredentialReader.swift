internal import HTTPWire

/// Finds the credential of a request where the provider's profile says, or adds the one that Weir holds.
public final class CredentialReader: Sendable {
    /// A field that Weir adds.
    public struct Field: Sendable {
        /// The name.
        public var name: [UInt8]
        /// The value.
        public var value: [UInt8]
    }

    /// A place, with the name that is looked for as bytes.
    private enum Lookup {
        case basicPassword
        case bearer
        case header([UInt8])
        /// `name=`.
        case query(prefix: [UInt8])

        init(_ place: CredentialPlace) {
            switch place {
            case .basicPassword: self = .basicPassword
            case .bearer: self = .bearer
            case .header(let name): self = .header(Array(name.utf8))
            case .query(let name): self = .query(prefix: Array("\(name)=".utf8))
            }
        }
    }

    /// Where to look, in order.
    private let lookups: [Lookup]
    private let isShared: Bool
    private let digest: LedgerDigest?
    private let injected: [UInt8]?
    private let injectedQuery: [UInt8]?
    /// The field that carries Weir's own credential.
    public let injectedField: Field?
    /// The names of fields that may carry a credential, besides `Authorization`.
    private let headers: [[UInt8]]

    /// A reader.
    ///
    /// - Parameters:
    ///   - places: where to look, in order.
    ///   - injected: the credential that Weir holds, if it does.
    ///   - injection: where it is put; the first of `places` if nothing else is said.
    ///   - isShared: whether all requests share one ledger, whatever credential they carry.
    ///   - digest: makes the keys of ledgers; by default they are this process's own.
    public init(
        places: [CredentialPlace], injected: String?, injection: CredentialPlace?, isShared: Bool,
        digest: LedgerDigest? = nil
    ) {
        self.digest = digest
        lookups = places.map(Lookup.init)
        self.isShared = isShared
        let secret = injected.map { Array($0.utf8) }
        self.injected = secret
        var field: Field?
        var query: [UInt8]?
        if let secret {
            switch injection ?? places.first ?? .bearer {
            case .basicPassword:
                field = Field(
                    name: Array("Authorization".utf8),
                    value: Array("Basic ".utf8) + Base64.encode([0x3A] + secret))
            case .bearer:
                field = Field(name: Array("Authorization".utf8), value: Array("Bearer ".utf8) + secret)
            case .header(let name): field = Field(name: Array(name.utf8), value: secret)
            case .query(let name):
                var encoded: [UInt8] = []
                PercentEncoding.segment(Text(secret), into: &encoded)
                query = Array("\(name)=".utf8) + encoded
            }
        }
        injectedField = field
        injectedQuery = query
        headers = (places + [injection].compactMap { $0 }).compactMap { place in
            if case .header(let name) = place { Array(name.utf8) } else { nil }
        }
    }

    /// Whether nothing of a request but its `Authorization` is looked at.
    var readsOnlyAuthorization: Bool {
        lookups.allSatisfy { lookup in
            switch lookup {
            case .basicPassword, .bearer: true
            case .header, .query: false
            }
        }
    }

    /// Whether Weir adds a credential of its own.
    public var injects: Bool { injected != nil }

    /// Whether Weir's own credential takes the place of what the client sends in the field `name`.
    ///
    /// The provider must see one credential: the one whose ledger is counted.
    public func replaces(_ name: Span<UInt8>) -> Bool {
        guard injected != nil else { return false }
        if name.equalsIgnoringCase("authorization") { return true }
        for header in headers where name.equalsIgnoringCase(header.span) { return true }
        return false
    }

    /// Adds Weir's credential to a request target, if that goes into the query.
    public func inject(intoTarget target: inout [UInt8]) {
        guard let injectedQuery else { return }
        target.append(target.contains(0x3F) ? 0x26 : 0x3F)
        target += injectedQuery
    }

    /// The ledger that a request belongs to.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func key(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> LedgerKey {
        if isShared { return .shared }
        guard let credential = credential(target: target, forEachField: forEachField) else { return .none }
        return LedgerKey(hashing: credential, digest: digest)
    }

    /// The credential that the provider will see, or `nil` for none.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func credential(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> [UInt8]? {
        if let injected { return injected }
        var found: [UInt8]?
        // Only what is found at an earlier place counts instead of it.
        var end = lookups.count
        forEachField { name, value in
            for index in 0..<end {
                guard let bytes = Self.read(lookups[index], name: name, value: value) else { continue }
                (found, end) = (bytes, index)
                break
            }
        }
        for index in 0..<end {
            if case .query(let prefix) = lookups[index], let bytes = Self.parameter(prefix, in: target) {
                return bytes
            }
        }
        return found
    }

    private static func read(_ lookup: Lookup, name: Span<UInt8>, value: Span<UInt8>) -> [UInt8]? {
        switch lookup {
        case .basicPassword:
            guard name.equalsIgnoringCase("authorization"), value.startsIgnoringCase(with: "basic ") else {
                return nil
            }
            let encoded = value.extracting(6..<value.count)
            guard var pair = Base64.decode(encoded.extracting(encoded.trimmedRange)),
                let colon = pair.firstIndex(of: 0x3A)
            else { return nil }
            pair.removeSubrange(...colon)
            return pair
        case .bearer:
            guard name.equalsIgnoringCase("authorization"), value.startsIgnoringCase(with: "bearer ") else {
                return nil
            }
            return Array(copying: value.extracting(7..<value.count))
        case .header(let wanted):
            return name.equalsIgnoringCase(wanted.span) ? Array(copying: value) : nil
        case .query: return nil
        }
    }

    /// The value of a query parameter, its escapes undone: one credential has one ledger however it is spelled.
    static func parameter(_ prefix: [UInt8], in target: Span<UInt8>) -> [UInt8]? {
        var start = 0
        while start < target.count, target[start] != 0x3F { start += 1 }
        while start < target.count {
            var end = start + 1
            while end < target.count, target[end] != 0x26 { end += 1 }
            let pair = PercentEncoding.decoded(target.extracting(start + 1..<end))
            if pair.starts(with: prefix) { return Array(pair[prefix.count...]) }
            start = end
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate init(copying span: Span<UInt8>) {
        self = []
        append(span)
    }
}
