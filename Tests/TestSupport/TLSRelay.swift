internal import Glibc
internal import Locking

/// A port whose connections lead to a port that speaks TLS, each through an `openssl s_client` of its own.
///
/// What is sent in one piece must not begin with Q, R, K or k: the program takes these for commands.
public final class TLSRelay: Sendable {
    /// The port on 127.0.0.1.
    public let port: UInt16
    private let listener: Socket
    private let processes = Lock<[Int32]>([])

    /// Starts a relay to a port of 127.0.0.1, whose certificate must be the authority's.
    public init(to target: UInt16, trusting authority: PrivateAuthority) throws {
        let (listener, endpoint) = try Socket.listening(on: .loopback, receiveBuffer: nil)
        (self.listener, port) = (listener, endpoint.port)
        let arguments =
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-verify_return_error"]
            + ["-CAfile", authority.root.certificatePath, "-connect", "127.0.0.1:\(target)"]
        System.startThread { [weak self] in
            while !listener.isClosed {
                guard Socket.firstReadable(of: [listener], by: .after(.milliseconds(50))) != nil,
                    let client = try? listener.accept()
                else { continue }
                defer { client.close() }
                guard let self, let process = try? client.spawn(arguments) else { return }
                processes.withLock { $0.append(process) }
            }
        }
    }

    deinit {
        listener.close()
        for process in processes.withLock({ $0 }) {
            kill(process, SIGKILL)
            try? eventually("a killed relay to end") { System.reap(process) != nil }
        }
    }
}
