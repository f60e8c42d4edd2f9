internal import Glibc
internal import Upstream

/// The bytes of a connection to a server: a plain socket, or TLS by libcurl.
enum RedisStream {
    case socket(Int32)
    case secure(CurlConnection)

    /// Begins to connect to a place.
    ///
    /// - Returns: nil if no attempt can be made.
    init?(to place: RedisConnection.Place) {
        let socket = Self.connect(to: place)
        guard socket >= 0 else { return nil }
        self = .socket(socket)
    }

    /// What the loop watches; -1 while TLS is being established.
    var descriptor: Int32 {
        switch self {
        case .socket(let number): number
        case .secure(let connection): connection.descriptor
        }
    }

    /// Whether there may be received bytes that the descriptor does not signal.
    var mayHoldBytes: Bool {
        switch self {
        case .socket: false
        case .secure(let connection): connection.mayHoldBytes
        }
    }

    /// Sends from the start of `bytes`; after ``ConnectionTransfer/wouldBlock`` they must be passed again, at the same address.
    func send(_ bytes: UnsafeRawBufferPointer) -> ConnectionTransfer {
        switch self {
        case .socket(let number):
            let count = unsafe Glibc.send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            return count > 0 ? .moved(count) : Self.failure(errno)
        case .secure(let connection): return unsafe connection.send(bytes)
        }
    }

    /// Receives into `room`.
    func receive(into room: UnsafeMutableRawBufferPointer) -> ConnectionTransfer {
        switch self {
        case .socket(let number):
            let count = unsafe recv(number, room.baseAddress, room.count, 0)
            if count > 0 { return .moved(count) }
            return count == 0 ? .ended : Self.failure(errno)
        case .secure(let connection): return unsafe connection.receive(into: room)
        }
    }

    /// Closes it, or stops establishing it.
    func close() {
        switch self {
        case .socket(let number): Glibc.close(number)
        case .secure(let connection): connection.close()
        }
    }

    /// Why sending or receiving failed with this `errno`; 0 if only the library knows it.
    func reason(of number: Int32) -> String {
        if number != 0 { return Self.words(of: number) }
        guard case .secure(let connection) = self else { return "it failed" }
        if connection.alert == nil {
            // Where sending failed, the alert that says why may not have been read.
            var room = [UInt8](repeating: 0, count: 1024)
            _ = unsafe room.withUnsafeMutableBytes { unsafe connection.receive(into: $0) }
        }
        return connection.alert.map { "it ended TLS: \($0.words)" } ?? "its TLS connection failed"
    }

    /// The system's words for an error.
    static func words(of number: Int32) -> String { unsafe String(cString: strerror(number)) }

    private static func failure(_ number: Int32) -> ConnectionTransfer {
        number == EAGAIN || number == EINTR ? .wouldBlock : .failed(errno: number)
    }

    private static func connect(to place: RedisConnection.Place) -> Int32 {
        switch place {
        case .tcp(let address, let port):
            var hints = unsafe addrinfo()
            unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            guard unsafe getaddrinfo(address, "\(port)", &hints, &found) == 0, let first = unsafe found else {
                return -1
            }
            defer { unsafe freeaddrinfo(first) }
            let socket = unsafe connect(
                family: first.pointee.ai_family, to: first.pointee.ai_addr, length: first.pointee.ai_addrlen)
            var on: Int32 = 1
            if socket >= 0 {
                unsafe setsockopt(
                    socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            }
            return socket
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(
                        family: AF_UNIX, to: $0, length: socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    private static func connect(
        family: Int32, to address: UnsafePointer<sockaddr>?, length: socklen_t
    ) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(family, type, 0)
        guard socket >= 0 else { return -1 }
        guard unsafe Glibc.connect(socket, address, length) != 0, errno != EINPROGRESS else { return socket }
        Glibc.close(socket)
        return -1
    }
}
