internal import Glibc

/// A system call that failed: which one, and the error number it left.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the call, such as `epoll_create1`.
    public var operation: String
    /// The value of `errno`.
    public var number: Int32

    /// The error of `operation`, which has just failed on this thread.
    public init(_ operation: String) {
        self.operation = operation
        number = errno
    }

    /// `operation: the system's own words`.
    public var description: String {
        unsafe "\(operation): \(String(cString: strerror(number)))"
    }
}
