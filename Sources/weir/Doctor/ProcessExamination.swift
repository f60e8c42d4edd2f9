internal import Core
internal import Glibc
internal import Wire

/// Gathers the facts about this process, its files and its addresses.
struct ProcessExamination {
    let configuration: ProxyConfiguration
    /// The configuration file.
    let path: String?
    let sources: SourceFiles

    var facts: ProcessFacts {
        let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFacts(
            // Weir raises the soft limit.
            descriptors: Int(clamping: limit.rlim_max), workers: configuration.workers ?? cores, files: files,
            ports: ports)
    }

    // MARK: Files

    private var files: [ProcessFacts.File] {
        var paths = sources.contents.keys.filter { $0 != "-" }
        for provider in configuration.providers {
            let tls = provider.tls
            paths += [tls.caFile, tls.clientCertificate, tls.clientKey].compactMap { $0 }
        }
        return Set(paths).sorted().map(file)
    }

    private func file(_ path: String) -> ProcessFacts.File {
        var file = ProcessFacts.File(path: path)
        var status = stat()
        if unsafe stat(path, &status) == 0 {
            file.mode = Self.isReachable(path) ? status.st_mode : status.st_mode & ~0o007
        }
        guard let text = Files.read(path) else {
            file.failure = Files.lastError
            return file
        }
        file.isSecret = text.contains("PRIVATE KEY-----") || secrets.contains { text.contains($0) }
        return file
    }

    /// Whether all users may enter the folders in which a file is.
    private static func isReachable(_ path: String) -> Bool {
        guard let resolved = unsafe realpath(path, nil) else { return true }
        defer { unsafe free(resolved) }
        var folder = unsafe String(cString: resolved)[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            var status = stat()
            let name = folder.isEmpty ? "/" : String(folder)
            guard unsafe stat(name, &status) == 0 else { return true }
            if status.st_mode & S_IXOTH == 0 { return false }
        }
        return true
    }

    /// What no file that others can read should contain; shorter texts may be anything.
    private var secrets: [String] {
        var found = configuration.providers.flatMap { $0.credentials.map(\.value) }
        if let password = configuration.ledger?.password?.value { found.append(password) }
        return found.filter { $0.utf8.count >= SecretRedactor.shortestSecret }
    }

    // MARK: Addresses

    private var ports: [(address: String, availability: ProcessFacts.Availability)] {
        var listeners = [(configuration.listen, configuration.listenTLS != nil)]
        if let admin = configuration.adminListen { listeners.append((admin, false)) }
        for provider in configuration.providers {
            if let listen = provider.listen { listeners.append((listen, provider.listenTLS != nil)) }
        }
        return listeners.map { address, speaksTLS in
            ("\(address)", availability(of: address, speaksTLS: speaksTLS))
        }
    }

    private func availability(of address: ListenAddress, speaksTLS: Bool) -> ProcessFacts.Availability {
        switch AddressTrial.bind(address) {
        case 0: return .free
        case EADDRINUSE where speaksTLS: return .unknown
        case EADDRINUSE: return isWeir(at: address) ? .weir : .taken
        case let number: return unsafe .failed(String(cString: strerror(number)))
        }
    }

    /// Whether a Weir answers; the path is served on every port of one, and never forwarded.
    private func isWeir(at address: ListenAddress) -> Bool {
        let bytes = try? ReadinessProbe(address: address).answer(
            to: "/-/schema/problem.json", limit: 1 << 20, within: .seconds(2))
        let response = bytes.flatMap { LoopbackResponse($0) }
        return response?.status == 200 && response?.fields.first("Content-Type") == "application/schema+json"
    }
}

/// Tries whether an address could be listened on, without listening.
enum AddressTrial {
    /// 0, or the number of the error.
    static func bind(_ address: ListenAddress) -> Int32 {
        if case .unix(let path, _) = address { return socketFile(at: path, address) }
        if case .tcp(_, port: 0) = address { return 0 }
        return unsafe attempt(address) { unsafe Glibc.bind($0, $1, $2) }
    }

    /// Like Weir at its start: a socket on which nobody listens is replaced.
    private static func socketFile(at path: String, _ address: ListenAddress) -> Int32 {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            let folder = Files.folder(of: path) ?? "."
            return unsafe access(folder, W_OK | X_OK) == 0 ? 0 : errno
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return EEXIST }
        let result = unsafe attempt(address) { unsafe Glibc.connect($0, $1, $2) }
        return result == ECONNREFUSED ? 0 : result == 0 || result == EAGAIN ? EADDRINUSE : result
    }

    private static func attempt(
        _ address: ListenAddress, _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
    ) -> Int32 {
        guard let (family, bytes) = address.socketAddress else { return EINVAL }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(family, type, 0)
        guard socket >= 0 else { return errno }
        defer { close(socket) }
        var on: Int32 = 1
        unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let status = unsafe bytes.withUnsafeBytes { raw in
            unsafe call(socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
        return status == 0 ? 0 : errno
    }
}
