internal import Wire

/// Finds the credential of a request in the places that the provider's profile names, or adds the one that Weir
/// holds.
public final class CredentialReader: Sendable {
    /// A field that Weir adds.
    public struct Field: Sendable {
        /// The name.
        public var name: [UInt8]
        /// The value.
        public var value: [UInt8]
    }

    /// A place, with its name as bytes.
    private enum Lookup {
        case basicPassword
        case basicUser
        case basicPair
        case scheme([UInt8])
        case header([UInt8], prefix: [UInt8])
        case query([UInt8])

        init(_ place: CredentialPlace) {
            switch place {
            case .basicPassword: self = .basicPassword
            case .basicUser: self = .basicUser
            case .basicPair: self = .basicPair
            case .bearer: self = .scheme(Array("bearer".utf8))
            case .scheme(let name): self = .scheme(Array(name.utf8))
            case .header(let name, let prefix):
                self = .header(Array(name.utf8), prefix: Array(prefix.utf8))
            case .query(let name): self = .query(Array(name.utf8))
            }
        }
    }

    /// Weir's own credential at one place.
    private struct Injection {
        var field: Field?
        /// The parameter: `name=value`.
        var parameter: [UInt8]?
        var routes: [RequestPattern]

        init(_ secret: [UInt8], at place: CredentialPlace, user: String, routes: [RequestPattern]) {
            self.routes = routes
            func authorization(_ scheme: String, _ value: [UInt8]) -> Field {
                Field(name: Array("Authorization".utf8), value: Array("\(scheme) ".utf8) + value)
            }
            switch place {
            case .basicPassword:
                field = authorization("Basic", Base64.encode(Array("\(user):".utf8) + secret))
            case .basicUser: field = authorization("Basic", Base64.encode(secret + [0x3A]))
            case .basicPair: field = authorization("Basic", Base64.encode(secret))
            case .bearer: field = authorization("Bearer", secret)
            case .scheme(let name): field = authorization(name, secret)
            case .header(let name, let prefix):
                field = Field(name: Array(name.utf8), value: Array(prefix.utf8) + secret)
            case .query(let name):
                var encoded: [UInt8] = []
                PercentEncoding.segment(Text(secret), into: &encoded)
                parameter = QueryParameterName.encoded(name) + [0x3D] + encoded
            }
        }
    }

    /// Where to look, in order.
    private let lookups: [Lookup]
    private let isShared: Bool
    private let digest: LedgerDigest?
    private let injected: [UInt8]?
    /// Where Weir's own credential goes.
    private let injections: [Injection]
    /// Whether some requests carry Weir's own credential elsewhere than others.
    private let hasRoutes: Bool
    /// The names of parameters that may carry a credential.
    private let parameters: [[UInt8]]
    /// The names of fields that may carry a credential, besides `Authorization`.
    private let headers: [[UInt8]]

    /// A reader.
    ///
    /// - Parameters:
    ///   - places: where to look, in order.
    ///   - injected: the credential that Weir holds, if it does.
    ///   - injections: where it is put; the first of `places` if nothing else is said. A request that the routes of some name carries it
    ///     there; all others carry it where no routes are named.
    ///   - user: the user name that it is sent with as the password of `Basic`.
    ///   - isShared: whether all requests share one ledger, whatever credential they carry.
    ///   - digest: computes the keys of ledgers; by default they are specific to this process.
    public init(
        places: [CredentialPlace], injected: String?, injections: [CredentialInjection] = [],
        user: String = "",
        isShared: Bool, digest: LedgerDigest? = nil
    ) {
        self.digest = digest
        lookups = places.map(Lookup.init)
        self.isShared = isShared
        let secret = injected.map { Array($0.utf8) }
        self.injected = secret
        let wanted = injections.isEmpty ? [CredentialInjection(places.first ?? .bearer)] : injections
        let own = secret.map { secret in
            wanted.map { Injection(secret, at: $0.place, user: user, routes: $0.routes) }
        }
        self.injections = own ?? []
        hasRoutes = wanted.contains { !$0.routes.isEmpty }
        let all = places + injections.map(\.place)
        var (headers, parameters): ([[UInt8]], [[UInt8]]) = ([], [])
        for place in all {
            switch place {
            case .header(let name, _): headers.append(Array(name.utf8))
            case .query(let name): parameters.append(Array(name.utf8))
            case .basicPassword, .basicUser, .basicPair, .bearer, .scheme: break
            }
        }
        (self.headers, self.parameters) = (headers, parameters)
    }

    /// Whether fields other than `Authorization` are looked at.
    var readsOtherFields: Bool { lookups.contains { if case .header = $0 { true } else { false } } }

    /// Whether the query is looked at.
    var readsQuery: Bool { lookups.contains { if case .query = $0 { true } else { false } } }

    /// Whether only `Authorization` authenticates a request, according to the profile.
    var readsOnlyAuthorization: Bool { injected == nil && headers.isEmpty && parameters.isEmpty }

    /// Whether Weir adds a credential of its own.
    public var injects: Bool { injected != nil }

    /// A bit for each field that may carry a credential; `nil` if the field `name` cannot.
    ///
    /// The provider must receive one credential: the one whose ledger is counted. So the first of each of these
    /// fields is forwarded, or none if Weir adds its own credential. A name with `_` instead of `-` is the same
    /// field, as on many servers.
    public func fieldIndex(_ name: Span<UInt8>) -> UInt64? {
        if name.count == 13, name.equalsIgnoringCase("authorization") { return 1 }
        var bit: UInt64 = 1
        for header in headers {
            bit &<<= 1
            if FieldRules.isTwin(name, header.span) { return bit }
        }
        return nil
    }

    /// Removes from a request target what the provider could take for another credential than the one whose ledger is counted, and
    /// adds Weir's own, if that goes into the query.
    ///
    /// - Parameters:
    ///   - method: the request's.
    ///   - path: the provider's own, behind its base URL; a query behind it does no harm.
    public func adjust(target: inout [UInt8], method: borrowing Span<UInt8>, path: borrowing Span<UInt8>) {
        guard !parameters.isEmpty else { return }
        QueryParameters.remove(parameters, keepsFirst: injected == nil, from: &target)
        forEachInjection(method: method, path: path) { injection in
            guard let parameter = injection.parameter else { return }
            target.append(target.contains(0x3F) ? 0x26 : 0x3F)
            target += parameter
        }
    }

    /// The fields that carry Weir's own credential; see ``adjust(target:method:path:)``.
    public func forEachInjectedField(
        method: borrowing Span<UInt8>, path: borrowing Span<UInt8>, _ body: (Field) -> Void
    ) {
        forEachInjection(method: method, path: path) { if let field = $0.field { body(field) } }
    }

    private func forEachInjection(
        method: borrowing Span<UInt8>, path: borrowing Span<UInt8>, _ body: (Injection) -> Void
    ) {
        var isRouted = false
        if hasRoutes {
            for injection in injections {
                for route in injection.routes where route.matches(method: method, path: path) {
                    isRouted = true
                    body(injection)
                    break
                }
            }
        }
        guard !isRouted else { return }
        for injection in injections where injection.routes.isEmpty { body(injection) }
    }

    /// The names of the parameters that must not appear in references: they hold Weir's own credential.
    public var hiddenParameters: [[UInt8]] { injections.contains { $0.parameter != nil } ? parameters : [] }

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

    /// The credential that the provider will receive, or `nil` for none.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func credential(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> [UInt8]? {
        if let injected { return injected }
        var found: [UInt8]?
        // Only a credential at an earlier place takes precedence.
        var end = lookups.count
        var seen: UInt64 = 0
        forEachField { name, value in
            // Of several fields of one name, the first is forwarded.
            guard let field = fieldIndex(name), seen & field == 0 else { return }
            seen |= field
            for index in 0..<end {
                guard let bytes = Self.read(lookups[index], name: name, value: value) else { continue }
                (found, end) = (bytes, index)
                break
            }
        }
        for index in 0..<end {
            if case .query(let name) = lookups[index], let bytes = QueryParameters.first(name, in: target) {
                return bytes
            }
        }
        return found
    }

    private static func read(_ lookup: Lookup, name: Span<UInt8>, value: Span<UInt8>) -> [UInt8]? {
        switch lookup {
        case .basicPassword:
            guard name.equalsIgnoringCase("authorization"),
                var pair = basicPair(value),
                let colon = pair.firstIndex(of: 0x3A)
            else { return nil }
            pair.removeSubrange(...colon)
            return pair
        case .basicUser:
            guard name.equalsIgnoringCase("authorization"), let pair = basicPair(value) else { return nil }
            return Array(pair.prefix { $0 != 0x3A })
        case .basicPair:
            guard name.equalsIgnoringCase("authorization"), let pair = basicPair(value), pair.contains(0x3A)
            else { return nil }
            return pair
        case .scheme(let scheme):
            guard name.equalsIgnoringCase("authorization") else { return nil }
            return token(value, scheme: scheme.span).map { Array(copying: value.extracting($0)) }
        case .header(let wanted, let prefix):
            guard FieldRules.isTwin(name, wanted.span), value.count >= prefix.count,
                value.extracting(0..<prefix.count).equalsIgnoringCase(prefix.span)
            else { return nil }
            return Array(copying: value.extracting(prefix.count..<value.count))
        case .query: return nil
        }
    }

    private static let basic = Array("basic".utf8)

    /// The name and the password of `Basic`.
    private static func basicPair(_ value: Span<UInt8>) -> [UInt8]? {
        token(value, scheme: basic.span).flatMap { Base64.decode(value.extracting($0)) }
    }

    /// Where the token of a scheme is (RFC 9110 11.6.2), without what a list might have behind it; `nil` for another scheme, or no token.
    private static func token(_ value: Span<UInt8>, scheme: Span<UInt8>) -> Range<Int>? {
        let length = scheme.count
        guard value.count > length, value.extracting(0..<length).equalsIgnoringCase(scheme),
            value[length].isBlank
        else { return nil }
        var start = length
        while start < value.count, value[start].isBlank { start += 1 }
        var end = start
        while end < value.count, value[end] != 0x2C { end += 1 }
        while end > start, value[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// All secrets of a request that a provider could repeat: each credential, and the names that belong to it.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func secrets(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> [[UInt8]] {
        var found: [[UInt8]] = injected.map { [$0] } ?? []
        var others: [[UInt8]] = []
        forEachField { name, value in
            guard let field = fieldIndex(name) else {
                if Self.soundsSecret(name) { others.append(Array(copying: value)) }
                if name.equalsIgnoringCase("cookie") { Self.addCookies(value, to: &others) }
                return
            }
            // If Weir adds its own, the provider does not receive the client's.
            guard injected == nil else { return }
            guard field == 1 else { return found.append(Array(copying: value)) }
            Self.addSecrets(ofAuthorization: value, to: &found)
        }
        if injected == nil {
            for name in parameters {
                if let value = QueryParameters.first(name, in: target) { found.append(value) }
            }
        }
        QueryParameters.forEach(in: target) { parameter, nameEnd in
            guard nameEnd < parameter.upperBound,
                Self.soundsSecret(target.extracting(parameter.lowerBound..<nameEnd))
            else { return }
            others.append(PercentEncoding.decoded(target.extracting(nameEnd + 1..<parameter.upperBound)))
        }
        return Array(found.prefix(Self.secretLimit)) + others.prefix(Self.secretLimit)
    }

    /// The maximum number of secrets of a request, both known and unknown to the profile: each has many spellings.
    private static let secretLimit = 12
    /// Shorter cookie values are usually settings.
    private static let shortestCookie = 16

    private static func addCookies(_ value: Span<UInt8>, to found: inout [[UInt8]]) {
        var start = 0
        while start < value.count {
            let end = min(value.index(of: 0x3B, from: start), value.count)
            let sign = min(value.index(of: 0x3D, from: start), end)
            if end - sign > shortestCookie { found.append(Array(copying: value.extracting(sign + 1..<end))) }
            start = end + 1
        }
    }

    /// The secret parts of `Authorization`: its token, the user and the password of `Basic`, the values of parameters
    /// that sign or identify, and everything if there is no scheme.
    private static func addSecrets(ofAuthorization value: Span<UInt8>, to found: inout [[UInt8]]) {
        var start = 0
        while start < value.count, !value[start].isBlank { start += 1 }
        let rest = value.extracting(start..<value.count)
        let token = rest.extracting(rest.trimmedRange)
        guard token.count > 0 else { return found.append(Array(copying: value)) }
        found.append(Array(copying: token))
        if let pair = basicPair(value) {
            // Some providers use the key as the user, without a password.
            found += pair.split(separator: 0x3A, maxSplits: 1).map(Array.init)
        }
        ListElements.forEach(in: token) { element in
            let sign = element.index(of: 0x3D, from: 0)
            let name = element.extracting(0..<min(sign, element.count))
            guard sign < element.count, soundsSecret(name) || name.equalsIgnoringCase("credential") else {
                return
            }
            var parameter = element.extracting(sign + 1..<element.count)
            parameter = parameter.extracting(parameter.trimmedRange)
            if parameter.count > 1, parameter[0] == 0x22, parameter[parameter.count - 1] == 0x22 {
                parameter = parameter.extracting(1..<parameter.count - 1)
            }
            found.append(Array(copying: parameter))
        }
    }

    /// Whether the value of a field other than `Authorization` may be secret even if the profile does not say so.
    static func mayHoldSecret(_ name: Span<UInt8>) -> Bool {
        soundsSecret(name) || name.equalsIgnoringCase("cookie")
    }

    /// Whether a field or parameter of this name looks like a credential even if the profile does not say so.
    private static func soundsSecret(_ name: Span<UInt8>) -> Bool {
        guard name.count >= 3, name.count <= 40 else { return false }
        let last = name[name.count - 1].lowercasedASCII
        for ending in secretEndings where name.count >= ending.count && last == ending[ending.count - 1] {
            let start = name.count - ending.count
            guard start == 0 || !name[start - 1].isASCIILetter else { continue }
            if FieldRules.isTwin(name.extracting(start..<name.count), ending.span) { return true }
        }
        return name.equalsIgnoringCase("token") || name.equalsIgnoringCase("x-token")
    }

    /// The endings of such names; a key or a token alone is more often data.
    private static let secretEndings = [
        "api-key", "apikey", "access-key", "secret-key", "auth-key", "subscription-key", "functions-key",
        "api-token", "access-token",
        "auth-token", "private-token", "security-token", "session-token", "vault-token", "refresh-token",
        "id-token", "oauth-token",
        "secret", "password", "dpop", "signature", "response", "mac",
    ].map { Array($0.utf8) }
}

extension [UInt8] {
    fileprivate init(copying span: Span<UInt8>) {
        self = []
        append(span)
    }
}

/// Base 64 (RFC 4648 4), as `Authorization: Basic` carries it.
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The decoded bytes, or `nil` if a character is not in the alphabet; padding is optional.
    public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for index in 0..<text.count {
            let character = text[index]
            if character == 0x3D { break }
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    /// `bytes` in the alphabet, with padding.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < group.count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)] : 0x3D)
            }
        }
        return text
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5A: return character - 0x41
        case 0x61...0x7A: return character - 0x61 + 26
        case 0x30...0x39: return character - 0x30 + 52
        case 0x2B, 0x2D: return 62
        case 0x2F, 0x5F: return 63
        default: return nil
        }
    }
}
