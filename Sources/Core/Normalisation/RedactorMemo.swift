internal import Wire
internal import Locking

/// The redactors of the latest credentials: to make one costs as much as to normalise an error.
///
/// Any worker may ask at any time.
final class RedactorMemo: Sendable {
    private struct Entry {
        var secrets: [[UInt8]]
        /// The value of `Authorization` in which the secrets were found, if nothing else of the request mattered.
        var authorization: [UInt8]?
        var redactor: SecretRedactor
    }

    /// How many are remembered.
    private static let limit = 8

    private let prefixes: [Text]
    /// The one that was used last is the first.
    private let recent = Lock<[Entry]>([])

    init(prefixes: [Text]) { self.prefixes = prefixes }

    /// The redactor that hides these secrets.
    ///
    /// - Parameter authorization: the value of `Authorization` that has them, if nothing else of the request matters.
    func redactor(of secrets: [[UInt8]], authorization: [UInt8]? = nil) -> SecretRedactor {
        let known = recent.withLock { recent -> SecretRedactor? in
            guard let index = recent.firstIndex(where: { $0.secrets == secrets }) else { return nil }
            if index > 0 { recent.swapAt(index, 0) }
            if let authorization { recent[0].authorization = authorization }
            return recent[0].redactor
        }
        if let known { return known }
        let redactor = SecretRedactor(secrets: secrets, prefixes: prefixes)
        recent.withLock { recent in
            recent.insert(
                Entry(secrets: secrets, authorization: authorization, redactor: redactor), at: 0)
            if recent.count > Self.limit { recent.removeLast() }
        }
        return redactor
    }

    /// The redactor of a request whose secrets are all in this value of `Authorization`; `nil` if it is not remembered.
    func redactor(authorization: Span<UInt8>) -> SecretRedactor? {
        recent.withLock { recent in
            for index in 0..<recent.count {
                guard let known = recent[index].authorization, authorization.equals(known.span) else {
                    continue
                }
                if index > 0 { recent.swapAt(index, 0) }
                return recent[0].redactor
            }
            return nil
        }
    }
}
