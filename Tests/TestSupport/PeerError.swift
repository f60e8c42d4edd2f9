/// Why a scripted peer failed.
public enum PeerError: Error, Equatable, CustomStringConvertible {
    /// The deadline passed while waiting for the described event.
    case timedOut(waitingFor: String)
    /// The peer closed the connection where more was expected.
    case closed(during: String)
    /// The other side reset the connection.
    case reset(during: String)
    /// The peer sent something unexpected.
    case unexpected(String)
    /// An operation on a socket that this side has closed already.
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
