internal import ProxyCore

/// The page for people: what is configured, and how full the ledgers are.
///
/// No credential is in it, nor where an upstream is.
enum StatusPage {
    static func page(of service: ProxyService, at now: MonotonicTime) -> AdminPage {
        var rows = ""
        for provider in service.providers {
            let snapshot = provider.pacer.snapshot(at: now, rows: 0)
            let limits = snapshot.windows.map { reading in
                "\(reading.remaining) of \(reading.window.requests) left per \(reading.window.per)"
            }
            rows += """
                <tr><td>\(provider.configuration.name)</td>
                <td><code>\(AdminPage.escaped(provider.configuration.mount?.path ?? "(own port)"))</code></td>
                <td>\(AdminPage.escaped(limits.joined(separator: "; ")))</td>
                <td>\(snapshot.waiting)</td><td>\(snapshot.inFlight)</td></tr>
                """
        }
        return AdminPage(
            title: "Weir",
            content: """
                <table><tr><th>provider</th><th>mount</th><th>limit, fullest ledger</th><th>waiting</th><th>in flight</th></tr>
                \(rows)</table>
                <p><a href="/metrics">metrics</a> · <a href="/-/errors">error codes</a> ·
                <a href="/-/schema/problem.json">schema of a problem</a> · <a href="/readyz">readiness</a></p>
                """)
    }
}
