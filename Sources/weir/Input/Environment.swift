internal import Glibc

/// The variables that the process was started with.
enum Environment {
    /// The value of a variable, or `nil` if it is not set.
    @Sendable static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
