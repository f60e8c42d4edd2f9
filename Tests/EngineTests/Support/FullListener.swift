import Glibc
import TestSupport

/// A listening socket whose queue is full: the kernel lets further connections wait without an answer.
final class FullListener: Sendable {
    /// The port of 127.0.0.1 where nobody is accepted.
    let port: UInt16
    private let descriptors: [Int32]

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(listener, address, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isListening else { throw PeerError.system(operation: "listen", code: errno) }
        port = UInt16(bigEndian: address.sin_port)
        var all = [listener]
        for _ in 0..<4 {
            let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            let client = socket(AF_INET, Int32(flags), 0)
            _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(client, $0, length)
                }
            }
            all.append(client)
        }
        descriptors = all
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
