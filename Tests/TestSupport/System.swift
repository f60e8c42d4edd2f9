internal import Glibc

/// The calls into libc that take pointers: the three files of this type hold all unsafe code of the module.
enum System {
    /// How many bytes one read takes at most.
    static let readSize = 64 * 1024

    static func message(for code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
    }

    static func failure(_ operation: String) -> PeerError { .system(operation: operation, code: errno) }

    // MARK: Sockets

    /// A new non-blocking stream socket that a child process does not inherit.
    static func openSocket(for endpoint: Endpoint) throws -> Int32 {
        let family =
            switch endpoint {
            case .unix: AF_UNIX
            case .tcp(let host, _): host.contains(":") ? AF_INET6 : AF_INET
            }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        return descriptor
    }

    static func setOption(_ name: Int32, to value: Int32, of descriptor: Int32, level: Int32 = SOL_SOCKET)
        throws
    {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(descriptor, level, name, &value, size) == 0 else {
            throw failure("setsockopt")
        }
    }

    /// Makes `close` send a reset instead of an orderly end.
    static func lingerNot(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe _ = setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Binds and listens; returns the endpoint with the port that the kernel chose.
    static func listen(_ descriptor: Int32, on endpoint: Endpoint) throws -> Endpoint {
        let address = try addressBytes(of: endpoint)
        let bound = unsafe address.withUnsafeBytes { bytes in
            unsafe bind(
                descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard bound == 0 else { throw failure("bind \(endpoint)") }
        guard Glibc.listen(descriptor, 512) == 0 else { throw failure("listen \(endpoint)") }
        guard case .tcp(let host, _) = endpoint else { return endpoint }
        return .tcp(host: host, port: try localPort(of: descriptor))
    }

    /// Begins to connect; the outcome comes with writability.
    static func connect(_ descriptor: Int32, to endpoint: Endpoint) throws {
        let address = try addressBytes(of: endpoint)
        let result = unsafe address.withUnsafeBytes { bytes in
            unsafe Glibc.connect(
                descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard result == 0 || errno == EINPROGRESS else { throw failure("connect \(endpoint)") }
    }

    /// The pending error of a socket, 0 for none.
    static func pendingError(of descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        unsafe _ = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return code
    }

    static func localPort(of descriptor: Int32) throws -> UInt16 {
        var address = [UInt8](repeating: 0, count: 128)
        var size = socklen_t(address.count)
        let result = unsafe address.withUnsafeMutableBytes { bytes in
            unsafe getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
        }
        guard result == 0 else { throw failure("getsockname") }
        return UInt16(address[2]) << 8 | UInt16(address[3])
    }

    /// The next connection in the queue, or nil when there is none.
    static func accept(_ descriptor: Int32) -> Int32? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        return accepted
    }

    /// Waits until one of the descriptors is ready; returns the indices of those that are.
    static func poll(_ descriptors: [Int32], for events: Int32, milliseconds: Int32) -> [Int] {
        var items = descriptors.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
        let ready = unsafe Glibc.poll(&items, nfds_t(items.count), milliseconds)
        guard ready > 0 else { return [] }
        return items.indices.filter { items[$0].revents != 0 }
    }

    /// Receives what is there: nil when nothing is, an empty array at the orderly end.
    static func receive(_ descriptor: Int32, atMost limit: Int) throws -> [UInt8]? {
        var received = 0
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: min(limit, readSize)) { buffer, count in
            received = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            code = errno
            count = max(received, 0)
        }
        if received >= 0 { return bytes }
        if code == EAGAIN || code == EINTR { return nil }
        throw code == ECONNRESET ? PeerError.reset(during: "receive") : .system(operation: "recv", code: code)
    }

    /// Sends what fits; 0 when nothing does.
    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws -> Int {
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw errno == EPIPE || errno == ECONNRESET ? PeerError.reset(during: "send") : failure("send")
    }

    /// The bytes of a `sockaddr_in`, `sockaddr_in6` or `sockaddr_un`.
    private static func addressBytes(of endpoint: Endpoint) throws -> [UInt8] {
        func family(_ value: Int32) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
        switch endpoint {
        case .unix(let path):
            let name = Array(path.utf8)
            guard name.count < 108 else {
                throw PeerError.unexpected("socket path of 108 bytes or more: \(path)")
            }
            return family(AF_UNIX) + name + [0]
        case .tcp(let name, let port):
            let host = name == "localhost" ? "127.0.0.1" : name
            let isVersion6 = host.contains(":")
            var number = [UInt8](repeating: 0, count: isVersion6 ? 16 : 4)
            let parsed = unsafe number.withUnsafeMutableBytes { bytes in
                unsafe inet_pton(isVersion6 ? AF_INET6 : AF_INET, host, bytes.baseAddress)
            }
            guard parsed == 1 else { throw PeerError.unexpected("\(name) is not a numeric address") }
            let portBytes = [UInt8(port >> 8), UInt8(port & 0xFF)]
            let zeros = [UInt8](repeating: 0, count: isVersion6 ? 4 : 8)
            return isVersion6
                ? family(AF_INET6) + portBytes + zeros + number + zeros
                : family(AF_INET) + portBytes + number + zeros
        }
    }
}
