/// Ports for programs that cannot choose one themselves.
public enum FreePort {
    /// A TCP port of 127.0.0.1 that was free a moment ago.
    ///
    /// Another process may take it before the program does: prefer port 0 if the program can report its port.
    public static func next() throws -> UInt16 {
        let (socket, endpoint) = try Socket.listening(on: .loopback, receiveBuffer: nil)
        socket.close()
        return endpoint.port
    }

    /// Waits until a program accepts connections there.
    public static func waitUntilOpen(_ endpoint: Endpoint, within patience: Duration = .patience) throws {
        try eventually("a listener on \(endpoint)", within: patience, every: .milliseconds(10)) {
            (try? RawClient(to: endpoint, within: .seconds(1))) != nil
        }
    }
}
