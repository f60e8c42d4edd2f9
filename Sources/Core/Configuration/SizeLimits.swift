/// How much of everything Weir takes: bytes unless a property says otherwise.
public struct SizeLimits: Hashable, Sendable {
    /// The largest body of a request, 64 MiB by default; a larger one is `request_too_large`.
    public var requestBody = 64 << 20
    /// The largest request line and header section, 12 KiB by default; a larger one is `headers_too_large`.
    public var requestHead = 12 << 10
    /// The longest request target, path and query, 8 KiB by default; a longer one is `uri_too_long`.
    public var uri = 8 << 10
    /// The most header fields in a request (a number), 100 by default; more are `headers_too_large`.
    public var headerCount = 100
    /// The most bytes of the header fields of a provider's response that are passed on, 64 KiB by default; of more, some are dropped.
    public var responseHead = 64 << 10
    /// How much is read of a provider's error body, 64 KiB by default; the rest is dropped.
    public var errorBody = 64 << 10
    /// The most client connections of each worker at each address (a number), 4096 by default.
    public var connections = 4096
    /// The most requests that wait for a slot, for each provider or group (a number), 1024 by default.
    public var queue = 1024
    /// The most credentials whose use is counted separately (a number), 10,000 by default.
    public var keys = 10_000

    /// The largest ``requestHead``: it shares a connection's memory of 16 KiB with the head of its response.
    public static let maximumRequestHead = 14 << 10

    /// The defaults.
    public init() {}
}
