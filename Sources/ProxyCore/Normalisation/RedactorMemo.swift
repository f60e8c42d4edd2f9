internal import Locking

/// The redactors of the latest credentials: to make one costs as much as to normalise an error.
///
/// Any worker may ask at any time.
final class RedactorMemo: Sendable {
    /// How many are remembered.
    private static let limit = 8

    private let prefixes: [Text]
    /// The one that was used last is the first.
    private let recent = Lock<[(secrets: [[UInt8]], redactor: SecretRedactor)]>([])

    init(prefixes: [Text]) { self.prefixes = prefixes }

    /// The redactor that hides these secrets.
    func redactor(of secrets: [[UInt8]]) -> SecretRedactor {
        let known = recent.withLock { recent -> SecretRedactor? in
            guard let index = recent.firstIndex(where: { $0.secrets == secrets }) else { return nil }
            if index > 0 { recent.swapAt(index, 0) }
            return recent[0].redactor
        }
        if let known { return known }
        let redactor = SecretRedactor(secrets: secrets, prefixes: prefixes)
        recent.withLock { recent in
            recent.insert((secrets, redactor), at: 0)
            if recent.count > Self.limit { recent.removeLast() }
        }
        return redactor
    }
}
