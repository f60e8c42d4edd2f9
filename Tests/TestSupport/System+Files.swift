internal import Glibc

extension System {
    /// The whole content of a file, of those in `/proc` as well.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(path)") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        while true {
            let part = try read(descriptor)
            guard !part.isEmpty else { return content }
            content += part
        }
    }

    /// One blocking read; empty at the end.
    static func read(_ descriptor: Int32) throws -> [UInt8] {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: readSize) { buffer, initialized in
            repeat {
                count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            initialized = max(count, 0)
        }
        guard count >= 0 else { throw failure("read") }
        return bytes
    }

    static func write(_ content: [UInt8], to path: String, mode: UInt32) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("open \(path)") }
        defer { close(descriptor) }
        var rest = content[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard written > 0 else { throw failure("write \(path)") }
            rest = rest.dropFirst(written)
        }
    }

    /// The names in a directory, without `.` and `..`.
    static func names(in path: String) throws -> [String] {
        guard let directory = unsafe opendir(path) else { throw failure("opendir \(path)") }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func makeTemporaryDirectory(prefix: String) throws -> String {
        var template = Array("\(prefix)XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw failure("mkdtemp \(prefix)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    static func environmentValue(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// What a symbolic link points to.
    static func linkTarget(_ path: String) throws -> String {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, initialized in
            count = unsafe buffer.withMemoryRebound(to: CChar.self) { target in
                guard let start = target.baseAddress else { return 0 }
                return unsafe readlink(path, start, target.count)
            }
            initialized = max(count, 0)
        }
        guard count > 0 else { throw failure("readlink \(path)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
