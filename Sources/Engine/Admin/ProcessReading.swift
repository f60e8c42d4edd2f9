internal import Glibc
internal import Core

/// What the system says about this process.
enum ProcessReading {
    static func now(startedWallNanoseconds: Int64) -> ProcessGauges {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessGauges(
            startNanoseconds: startedWallNanoseconds,
            cpuNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
            residentBytes: residentBytes, openFiles: openFiles, maximumFiles: maximumFiles)
    }

    /// How many file descriptors may be open.
    static var maximumFiles: Int {
        var files = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        return Int(clamping: files.rlim_cur)
    }

    private static func nanoseconds(_ time: timeval) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1000
    }

    /// The second number of `/proc/self/statm`: resident pages; `nil` without `/proc`.
    private static var residentBytes: Int? {
        let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(descriptor, &text, text.count)
        guard count > 0 else { return nil }
        let numbers = text.prefix(count).split(separator: 0x20)
        guard numbers.count > 1, let pages = Int(String(decoding: numbers[1], as: UTF8.self)) else {
            return nil
        }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The entries of `/proc/self/fd`; `nil` without `/proc`.
    private static var openFiles: Int? {
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // `.`, `..` and the descriptor of the directory itself.
        return max(0, count - 3)
    }
}
