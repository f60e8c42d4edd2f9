internal import Core
internal import Glibc

/// Why an instance could not be probed or is not ready, in one line.
struct ProbeFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Checks whether a running instance is ready, with one request on one socket and a time limit.
struct ReadinessProbe {
    var address: ListenAddress

    /// The status of `GET /readyz`.
    ///
    /// - Throws: ``ProbeFailure``
    func status(within timeout: Duration) throws(ProbeFailure) -> Int {
        let deadline = ContinuousClock.now + timeout
        let socket = try connect(by: deadline)
        defer { close(socket) }
        let request = Array("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        try wait(for: POLLOUT, of: socket, by: deadline)
        guard unsafe send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else {
            throw failure("does not accept a request")
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 512)
        // Only the status in "HTTP/1.1 200 …" is needed.
        while answer.count < 12 {
            try wait(for: POLLIN, of: socket, by: deadline)
            let count = unsafe recv(socket, &part, part.count, 0)
            guard count > 0 else { throw failure("closed the connection without a response") }
            answer += part[..<count]
        }
        guard answer.starts(with: "HTTP/1.".utf8),
            let status = Int(String(decoding: answer[9..<12], as: UTF8.self))
        else { throw ProbeFailure("the program that listens at \(address) does not speak HTTP") }
        return status
    }

    /// The whole answer to `GET`, at most `limit` bytes, until the instance closes the connection.
    ///
    /// - Throws: ``ProbeFailure``
    ///
    /// - Parameter token: the caller's token, if the instance requires one.
    func answer(
        to target: String, token: String? = nil, limit: Int, within timeout: Duration
    ) throws(ProbeFailure) -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        let socket = try connect(by: deadline)
        defer { close(socket) }
        let field = token.map { "\(AccessTokens.field): \($0)\r\n" } ?? ""
        let request = Array(
            "GET \(target) HTTP/1.0\r\nHost: localhost\r\n\(field)Connection: close\r\n\r\n".utf8)
        try wait(for: POLLOUT, of: socket, by: deadline)
        guard unsafe send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw failure("does not accept a request")
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            try wait(for: POLLIN, of: socket, by: deadline)
            let count = unsafe recv(socket, &part, part.count, 0)
            guard count >= 0 else { throw failure("broke the connection: \(Files.lastError)") }
            if count == 0 { return answer }
            answer += part[..<count]
            guard answer.count <= limit else { throw failure("sent more than \(limit) bytes") }
        }
    }

    private func failure(_ reason: String) -> ProbeFailure {
        ProbeFailure("not ready: \(address) \(reason)")
    }

    private func connect(by deadline: ContinuousClock.Instant) throws(ProbeFailure) -> Int32 {
        let (family, bytes) = try socketAddress
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(family, type, 0)
        guard socket >= 0 else { throw failure("cannot be probed: \(Files.lastError)") }
        let status = unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.connect(
                socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
        do throws(ProbeFailure) {
            if status != 0 {
                guard errno == EINPROGRESS else { throw failure("cannot be reached: \(Files.lastError)") }
                try wait(for: POLLOUT, of: socket, by: deadline)
                var error: Int32 = 0
                var size = socklen_t(MemoryLayout<Int32>.size)
                unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size)
                errno = error
                guard error == 0 else { throw failure("cannot be reached: \(Files.lastError)") }
            }
        } catch {
            close(socket)
            throw error
        }
        return socket
    }

    private func wait(
        for event: Int32, of socket: Int32, by deadline: ContinuousClock.Instant
    ) throws(ProbeFailure) {
        while true {
            let left = ContinuousClock.now.duration(to: deadline).wholeNanoseconds / 1_000_000
            var query = pollfd(fd: socket, events: Int16(event), revents: 0)
            let count = unsafe poll(&query, 1, Int32(clamping: max(0, left)))
            if count > 0 { return }
            if count < 0, errno == EINTR { continue }
            throw failure("did not respond in time")
        }
    }

    /// The address family and `sockaddr`; the loopback address if the instance listens on all addresses.
    private var socketAddress: (family: Int32, bytes: [UInt8]) {
        get throws(ProbeFailure) {
            guard let found = address.reachable.socketAddress else {
                throw ProbeFailure("port 0 lets the system choose the port, so its number is unknown")
            }
            return found
        }
    }
}

extension ListenAddress {
    /// The loopback address in place of all addresses.
    fileprivate var reachable: ListenAddress {
        switch self {
        case .tcp(.v4(0), let port): .tcp(.v4(0x7F00_0001), port: port)
        case .tcp(.v6(high: 0, low: 0), let port): .tcp(.v6(high: 0, low: 1), port: port)
        default: self
        }
    }

    /// The address family and `sockaddr`; `nil` for port 0.
    var socketAddress: (family: Int32, bytes: [UInt8])? {
        switch self {
        case .unix(let path, _):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &name.sun_path) { room in
                unsafe room.copyBytes(from: path.utf8.prefix(room.count - 1))
            }
            return (AF_UNIX, unsafe withUnsafeBytes(of: &name) { unsafe Array($0) })
        case .tcp(_, port: 0): return nil
        case .tcp(.v4(let number), let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = number.bigEndian
            return (AF_INET, unsafe withUnsafeBytes(of: &name) { unsafe Array($0) })
        case .tcp(.v6(let high, let low), let port):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { room in
                unsafe room.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe room.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return (AF_INET6, unsafe withUnsafeBytes(of: &name) { unsafe Array($0) })
        }
    }
}

/// Reads an admin path of a running instance.
struct AdminPageFetch {
    /// `http://127.0.0.1:8080`, or `127.0.0.1:8080`.
    var address: String

    /// The variable with the token of an instance that requires one: on a command line, other users could read it.
    private static let tokenVariable = "WEIR_TOKEN"

    private static func token() throws(ProbeFailure) -> String? {
        guard let token = Environment.variable(tokenVariable), !token.isEmpty else { return nil }
        guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ProbeFailure(
                "\(tokenVariable) must have visible ASCII characters only (the value is not shown)")
        }
        return token
    }

    /// The body of `GET`.
    ///
    /// - Throws: ``ProbeFailure``
    func get(_ path: String, within timeout: Duration) throws(ProbeFailure) -> [UInt8] {
        var text = Substring(address)
        if text.hasPrefix("http://") { text = text.dropFirst("http://".count) }
        text = text.prefix { $0 != "/" }
        if text.hasPrefix("localhost:") { text = "127.0.0.1:" + text.dropFirst("localhost:".count) }
        let place: ListenAddress
        do {
            place = try ListenAddress(parsing: String(text))
        } catch {
            throw ProbeFailure(
                "--from must be the address of a running Weir, such as http://127.0.0.1:8080, without TLS: \(error)"
            )
        }
        let bytes = try ReadinessProbe(address: place).answer(
            to: path, token: Self.token(), limit: 4 << 20, within: timeout)
        let mark = Array("\r\n\r\n".utf8)
        let head = bytes.indices.first { bytes[$0...].starts(with: mark) }
        guard let head, bytes.starts(with: "HTTP/1.".utf8), bytes.count > 12 else {
            throw ProbeFailure("the program that listens at \(place) does not speak HTTP")
        }
        let status = String(decoding: bytes[9..<12], as: UTF8.self)
        guard status != "403" else {
            throw ProbeFailure(
                "\(path) at \(place) returned 403; \(Self.tokenVariable) must be one of its tokens")
        }
        guard status == "200" else { throw ProbeFailure("\(path) at \(place) returned \(status)") }
        return Array(bytes[(head + 4)...])
    }
}
