internal import Downstream
internal import Core

/// The listening sockets of all workers: each address has one per worker, which the kernel spreads connections over.
struct ListenerPlan {
    /// The sockets of each worker.
    private(set) var sockets: [[(role: Listener.Role, socket: ListenSocket)]]
    /// The addresses as they were bound.
    private(set) var main = ""
    private(set) var admin: String?
    private(set) var providers: [(provider: String, address: String)] = []

    /// Binds everything that `configuration` names.
    init(_ configuration: ProxyConfiguration, workers: Int) throws(ListenError) {
        sockets = Array(repeating: [], count: workers)
        do throws(ListenError) {
            try bind(configuration, workers: workers)
        } catch {
            removeFiles()
            throw error
        }
    }

    /// Removes the files of all Unix domain sockets.
    func removeFiles() {
        for (_, socket) in sockets.joined() { socket.removeFile() }
    }

    private mutating func bind(_ configuration: ProxyConfiguration, workers: Int) throws(ListenError) {
        main = try add(
            .providers(servesAdmin: configuration.adminListen == nil), at: configuration.listen,
            to: 0..<workers)
        for provider in configuration.providers {
            guard let address = provider.listen else { continue }
            providers.append((provider.name, try add(.provider(provider.name), at: address, to: 0..<workers)))
        }
        // Pages for people and probes are rare: one worker answers them.
        if let address = configuration.adminListen { admin = try add(.admin, at: address, to: 0..<1) }
    }

    private mutating func add(
        _ role: Listener.Role, at address: ListenAddress, to workers: Range<Int>
    ) throws(ListenError) -> String {
        switch address {
        case .unix(let path, let mode):
            let socket = try ListenSocket(path: path, mode: mode.bits)
            sockets[workers.lowerBound].append((role, socket))
            return "unix:\(path)"
        case .tcp(let host, let wanted):
            var port = wanted
            let isShared = workers.count > 1
            // Sockets that share a port would also share it with another process of this user, silently: one that does not tells.
            if isShared, port != 0 {
                try ListenSocket(host: "\(host)", port: port, isShared: false).closeUnused()
            }
            for worker in workers {
                let socket = try ListenSocket(host: "\(host)", port: port, isShared: isShared)
                port = socket.port
                sockets[worker].append((role, socket))
            }
            return "\(ListenAddress.tcp(host, port: port))"
        }
    }
}
