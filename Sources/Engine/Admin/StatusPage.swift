internal import Core
internal import Glibc
internal import Loop

/// The status page for people: the configuration, and the use of the ledgers.
///
/// It shows neither credentials nor upstream addresses.
enum StatusPage {
    static func page(of service: ProxyService, at now: MonotonicTime) -> AdminPage {
        var rows = ""
        for provider in service.providers {
            let snapshot = provider.pacer.snapshot(at: now, rows: AdminRequest.rowsForGauges)
            let limits = snapshot.windows.map { reading in
                let period =
                    switch reading.window.span {
                    case .rolling, .aligned: "per \(reading.window.per)"
                    case .day: "today"
                    case .month: "this month"
                    case .concurrent: "at a time"
                    }
                return "\(reading.remaining) of \(reading.window.requests) left \(period)"
            }
            rows += """
                <tr><td>\(provider.configuration.name)</td>
                <td><code>\(AdminPage.escaped(provider.configuration.mount?.path ?? "(own port)"))</code></td>
                <td>\(AdminPage.escaped(limits.joined(separator: "; ")))</td>
                <td>\(snapshot.waiting + provider.waitingForLedger)</td><td>\(snapshot.inFlight)</td>
                <td>\(provider.guards.gauges(at: now).description)</td></tr>
                """
        }
        return AdminPage(
            title: "Weir",
            content: """
                <table><tr><th>provider</th><th>mount</th><th>limit, fullest ledger</th><th>waiting</th><th>in flight</th><th>held back</th></tr>
                \(rows)</table>
                \(configuration(service.instance.reloadStatus, startedAt: service.startedWallNanoseconds))
                <p><a href="/metrics">metrics</a> · <a href="/-/limits">limits</a> ·
                <a href="/-/requests">recent problems</a> · <a href="/-/unmapped">unmapped responses</a> · <a href="/-/errors">error codes</a> ·
                <a href="/-/schema/problem.json">schema of a problem</a> · <a href="/readyz">readiness</a></p>
                """)
    }

    /// Which configuration is in force, and how it differs from the file.
    private static func configuration(_ status: ReloadStatus, startedAt start: Int64) -> String {
        let age = (SystemClock.wallNanoseconds - status.counts.lastSuccessNanoseconds) / 1_000_000_000
        var text = "<p>configuration: read \(max(0, age)) s ago"
        text += status.counts.lastSuccessNanoseconds == start ? ", at the start" : ""
        if !status.needsRestart.isEmpty {
            let keys = status.needsRestart.map { "<code>\(AdminPage.escaped($0))</code>" }
            text += "; restart required for \(keys.joined(separator: ", "))"
        }
        guard !status.counts.lastWasSuccessful else { return text + "</p>" }
        let mistakes = status.mistakes.map { "<li><code>\(AdminPage.escaped($0))</code></li>" }
        return text
            + "</p><p><strong>reload failed: the file has mistakes</strong>; the log lists them:</p><ul>\(mistakes.joined())</ul>"
    }
}

extension GuardGauges {
    /// Describes open circuits and quarantined credentials; empty if there are none.
    fileprivate var description: String {
        var parts: [String] = []
        switch circuit {
        case .closed: break
        case .halfOpen: parts.append("circuit half open: one request at a time")
        case .open: parts.append("circuit open")
        }
        switch quarantinedCredentials {
        case 0: break
        case 1: parts.append("1 quarantined credential")
        default: parts.append("\(quarantinedCredentials) quarantined credentials")
        }
        return parts.joined(separator: "; ")
    }
}

/// What the system reports about this process.
enum ProcessReading {
    static func now(startedWallNanoseconds: Int64) -> ProcessGauges {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessGauges(
            startNanoseconds: startedWallNanoseconds,
            cpuNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
            residentBytes: residentBytes, openFiles: openFiles, maximumFiles: maximumFiles)
    }

    /// The maximum number of open file descriptors.
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
