internal import Wire

// The closed label sets. A raw value is a place in the counters, so it counts up from 0; `count` is a
// constant because the data path multiplies by it.

/// The method of a request, as a metric label.
///
/// A method that is none of these is ``other``: a label never comes from the client.
public enum MethodClass: Int, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, other

    static let count = 8

    /// The class of a method; method names are case-sensitive (RFC 9110 9.1).
    public init(_ method: borrowing Span<UInt8>) {
        if method.equals("GET") {
            self = .get
        } else if method.equals("POST") {
            self = .post
        } else if method.equals("PUT") {
            self = .put
        } else if method.equals("PATCH") {
            self = .patch
        } else if method.equals("DELETE") {
            self = .delete
        } else if method.equals("HEAD") {
            self = .head
        } else if method.equals("OPTIONS") {
            self = .options
        } else {
            self = .other
        }
    }

    var label: String { "\(self)" }
}

/// The class of a status that was sent to a client, as a metric label.
enum StatusClass: Int, CaseIterable {
    case none, success, redirection, clientError, serverError

    static let count = 5

    /// The class of `status`; `none` for 0, and for anything that is not a final status of RFC 9110 15.
    init(_ status: Int) {
        switch status {
        case 200...299: self = .success
        case 300...399: self = .redirection
        case 400...499: self = .clientError
        case 500...599: self = .serverError
        default: self = .none
        }
    }

    var label: String {
        switch self {
        case .none: "none"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// What went on when a client left.
public enum ClientAbortStage: Int, Sendable, CaseIterable {
    /// It was still sending its request.
    case request
    /// It waited for its turn: nothing was sent.
    case queue
    /// The provider was at work.
    case upstream
    /// The answer was on its way.
    case response

    static let count = 4

    var label: String { "\(self)" }
}

/// Why a request was refused at the queue.
public enum QueueRefusalReason: Int, Sendable, CaseIterable {
    /// The wait would be longer than the provider's `max_wait`.
    case maxWait
    /// The wait would be longer than the request's own `Prefer: wait` (RFC 7240 4.3).
    case preferWait
    /// The queue has as many requests as it may.
    case queueFull
    /// Weir is shutting down.
    case shuttingDown

    static let count = 4

    var label: String {
        switch self {
        case .maxWait: "max_wait"
        case .preferWait: "prefer_wait"
        case .queueFull: "queue_full"
        case .shuttingDown: "shutting_down"
        }
    }
}

extension PauseReason {
    static let count = 3

    var label: String { name }

    /// The reason as metrics and pages name it.
    public var name: String {
        switch self {
        case .rateLimited: "rate_limited"
        case .quotaExceeded: "quota_exceeded"
        case .unavailable: "unavailable"
        }
    }
}

/// What was wrong with an attempt that another one followed.
enum RetryReason: Int, CaseIterable {
    case connection, response

    static let count = 2

    var label: String { "\(self)" }
}

/// How a provider refuses a request because there were too many.
enum Rejection: Int, CaseIterable {
    case rateLimited, quotaExceeded

    static let count = 2

    /// The problem code, and the label.
    var label: String {
        switch self {
        case .rateLimited: "rate_limited"
        case .quotaExceeded: "quota_exceeded"
        }
    }
}
