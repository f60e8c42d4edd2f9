/// Where a peer listens or connects to.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// A numeric IPv4 or IPv6 address, or `localhost` for 127.0.0.1; port 0 lets the kernel choose.
    case tcp(host: String, port: UInt16)
    /// A Unix domain socket.
    case unix(path: String)

    /// 127.0.0.1 with a port that the kernel chooses.
    public static let loopback = Endpoint.tcp(host: "127.0.0.1", port: 0)
    /// ::1 with a port that the kernel chooses.
    public static let loopback6 = Endpoint.tcp(host: "::1", port: 0)

    /// The port, 0 for a Unix domain socket.
    public var port: UInt16 {
        if case .tcp(_, let port) = self { port } else { 0 }
    }

    /// `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`, as Weir's configuration spells it.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
