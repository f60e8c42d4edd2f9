import Engine
import TestSupport
import Testing

@Suite("what is told of reloads", .blocking)
struct ReloadReportTests {
    @Test("metrics and the status page know the last one, good or bad, and what waits for a restart")
    func report() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            let name = "weir_config_last_reload_success_timestamp_seconds"
            let started = try proxy.metric(name)
            #expect(try proxy.metric("weir_config_last_reload_successful") == 1)
            #expect(try proxy.metric(#"weir_config_reloads_total{result="success"}"#) == 0)
            #expect(try proxy.exchange("GET", "/-/").text.contains("at the start"))

            let same = "p: { profile: generic, upstream: '\(upstream.url)' }"
            let change = try proxy.reload(yaml: reloadable(same, workers: 2))
            #expect(change.needsRestart == ["workers"] && change.changed.isEmpty)
            #expect(try proxy.metric(#"weir_config_reloads_total{result="success"}"#) == 1)
            #expect(try proxy.metric(name) > started)
            #expect(
                try proxy.exchange("GET", "/-/").text.contains("restart required for <code>workers</code>"))

            try proxy.reject(["weir.yaml:3:5: providers.<x>"])
            #expect(try proxy.metric(#"weir_config_reloads_total{result="failure"}"#) == 1)
            #expect(try proxy.metric("weir_config_last_reload_successful") == 0)
            let page = try proxy.exchange("GET", "/-/").text
            #expect(page.contains("weir.yaml:3:5: providers.&lt;x&gt;") && page.contains("mistakes"))

            #expect(try proxy.reload(yaml: reloadable(same)).needsRestart.isEmpty)
            #expect(try proxy.metric("weir_config_last_reload_successful") == 1)
            let healed = try proxy.exchange("GET", "/-/").text
            #expect(!healed.contains("mistakes") && !healed.contains("restarted"))
        }
    }
}
