/// Why a scripted peer gave up.
public enum PeerError: Error, Equatable, CustomStringConvertible {
    /// The deadline passed while waiting for what is named.
    case timedOut(waitingFor: String)
    /// The other side ended the connection in an orderly way, where more was expected.
    case closed(during: String)
    /// The other side reset the connection.
    case reset(during: String)
    /// The other side sent what was not expected.
    case unexpected(String)
    /// Something was asked of a socket that this side has closed already.
    case alreadyClosed
    /// A system call failed.
    case system(operation: String, code: Int32)

    /// One line for the test's log.
    public var description: String {
        switch self {
        case .timedOut(let what): "timed out waiting for \(what)"
        case .closed(let what): "closed by the other side during \(what)"
        case .reset(let what): "reset by the other side during \(what)"
        case .unexpected(let what): "unexpected: \(what)"
        case .alreadyClosed: "this side has closed the connection already"
        case .system(let operation, let code): "\(operation): \(System.message(for: code))"
        }
    }
}
