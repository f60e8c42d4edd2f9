internal import Glibc

/// The service manager that started the process, if it asks to be told of its state (sd_notify(3)).
///
/// Each change of state is one datagram. Nothing waits for it: a manager that does not read it misses it.
struct ServiceManager {
    /// What the manager is told.
    enum State {
        /// Weir accepts requests.
        case ready
        /// The configuration is read again; `.ready` follows, whether it is in force or has mistakes.
        case reloading
        /// The drain has begun.
        case stopping
    }

    /// What the manager shows while Weir accepts requests.
    private let readyStatus: String
    private var address = sockaddr_un()
    private var addressLength: socklen_t = 0

    /// The manager at the address in NOTIFY_SOCKET: a path, or an abstract name that begins with `@`; `nil` for anything else.
    init?(address text: String?, readyStatus: String) {
        self.readyStatus = readyStatus
        guard let text, text.hasPrefix("/") || text.hasPrefix("@") else { return nil }
        var path = Array(text.utf8)
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count > 1, path.count < room else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        // An abstract name has no byte behind it; that of a path is 0.
        let end = path[0] == 0 ? 0 : 1
        addressLength = socklen_t(MemoryLayout<sa_family_t>.size + path.count + end)
    }

    /// Tells the manager, if it takes it at once.
    func report(_ state: State) {
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let message = Array(message(of: state).utf8)
        unsafe withUnsafePointer(to: address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                _ = unsafe sendto(
                    socket, message, message.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), place,
                    addressLength)
            }
        }
    }

    private func message(of state: State) -> String {
        switch state {
        case .ready: return "READY=1\nSTATUS=\(readyStatus)"
        case .stopping: return "STOPPING=1\nSTATUS=Finishing requests in flight"
        case .reloading:
            var now = timespec()
            _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
            let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
            return "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
        }
    }
}
