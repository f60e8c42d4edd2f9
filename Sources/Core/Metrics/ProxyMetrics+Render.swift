extension ProxyMetrics {
    /// The content of `/metrics`.
    ///
    /// The sum over all workers. The counters of one worker are from one moment; those of different workers may be a
    /// few microseconds apart. Concurrent scrapes are safe.
    ///
    /// - Parameters:
    ///   - format: from ``ExpositionFormat/init(accept:)``.
    ///   - pacing: one value per provider, by its index; missing ones count as idle.
    ///   - guards: likewise; missing ones hold nothing back.
    ///   - ledger: the state of the shared ledger; `nil` omits its families.
    ///   - reloads: the number and results of reloads.
    ///   - process: `nil` omits the `process_…` families.
    ///   - instance: the other counters.
    public func render(
        _ format: ExpositionFormat, pacing: [Int: PacingGauges], guards: [Int: GuardGauges] = [:],
        ledger: LedgerGauges? = nil, reloads: ReloadCounts,
        process: ProcessGauges?, instance: InstanceCounts
    ) -> [UInt8] {
        let reading = read()
        var output = ExpositionText()
        output.reserve(16_384 + 32_768 * (reading.providers.count + 1))
        for family in reading.counted {
            family.write(reading.totals, in: format, exemplars: reading.exemplars, to: &output)
        }
        let gauges = reading.providers.map { ($0.name, pacing[$0.place] ?? PacingGauges()) }
        writeQueues(gauges, format, &output)
        writeLimits(gauges, format, &output)
        writeGuards(
            reading.providers.map { ($0.name, guards[$0.place] ?? GuardGauges()) }, format, &output)
        if let ledger { writeLedger(ledger, format, &output) }
        writeReloads(reloads, format, &output)
        writeInstance(instance, format, &output)
        if let process { writeProcess(process, format, &output) }
        if format == .openMetrics { output.append("# EOF\n") }
        return output.bytes
    }

    private func writeQueues(
        _ gauges: [(String, PacingGauges)], _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        output.append(headerOf: .queueDepth, in: format)
        for (provider, gauge) in gauges {
            output.append(sample: MetricFamily.queueDepth.name, labels: [("provider", provider)])
            output.endLine(gauge.queueDepth)
        }
        output.append(headerOf: .queueOldestAge, in: format)
        for (provider, gauge) in gauges {
            output.append(sample: MetricFamily.queueOldestAge.name, labels: [("provider", provider)])
            output.endLine(secondsOf: Self.atLeastZero(gauge.oldestNanoseconds))
        }
    }

    private func writeLimits(
        _ gauges: [(String, PacingGauges)], _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        func write(_ family: MetricFamily, _ value: (PacingGauges.Limit, inout ExpositionText) -> Void) {
            output.append(headerOf: family, in: format)
            for (provider, gauge) in gauges {
                for limit in gauge.limits {
                    output.append(
                        sample: family.name, labels: [("provider", provider), ("policy", limit.policy)])
                    value(limit, &output)
                }
            }
        }
        write(.limitRequests) { $1.endLine($0.requests) }
        write(.limitWindow) { $1.endLine(secondsOf: Self.atLeastZero($0.windowNanoseconds)) }
        write(.limitRemaining) { $1.endLine($0.remaining) }
        write(.limitReset) { $1.endLine(secondsOf: Self.atLeastZero($0.resetNanoseconds)) }
        writeState(gauges, format, &output)
    }

    private func writeState(
        _ gauges: [(String, PacingGauges)], _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        func write(_ family: MetricFamily, _ value: (PacingGauges, inout ExpositionText) -> Void) {
            output.append(headerOf: family, in: format)
            for (provider, gauge) in gauges {
                output.append(sample: family.name, labels: [("provider", provider)])
                value(gauge, &output)
            }
        }
        write(.pausedLedgers) { $1.endLine($0.pausedLedgers) }
        write(.foreignUsage) { gauge, output in
            // A number of nanoseconds is written as seconds, with the same digits.
            output.endLine(secondsOf: UInt64(min(max(gauge.foreignShare, 0), 1) * 1e9))
        }
        write(.limitDrift) { $1.endLine($0.strangeLimit) }
        output.append(headerOf: .observed, in: format)
        for (provider, gauge) in gauges {
            for (outcome, count) in [
                ("wait", gauge.wouldHaveWaited), ("refusal", gauge.wouldHaveBeenRefused),
            ] {
                output.append(
                    sample: MetricFamily.observed.name,
                    labels: [("provider", provider), ("outcome", outcome)])
                output.endLine(count)
            }
        }
    }

    private func writeLedger(
        _ ledger: LedgerGauges, _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        for (family, value) in [
            (MetricFamily.ledgerUp, ledger.isUp ? 1 : 0), (.ledgerFallbacks, ledger.fallbacks),
            (.ledgerCommands, ledger.commands),
        ] as [(MetricFamily, UInt64)] {
            output.append(headerOf: family, in: format)
            output.append(sample: family.name, labels: [])
            output.endLine(value)
        }
    }

    private func writeReloads(
        _ reloads: ReloadCounts, _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        output.append(headerOf: .configReloads, in: format)
        for (result, count) in [("success", reloads.successes), ("failure", reloads.failures)] {
            output.append(sample: MetricFamily.configReloads.name, labels: [("result", result)])
            output.endLine(count)
        }
        output.append(headerOf: .configLastReloadSuccessful, in: format)
        output.append(sample: MetricFamily.configLastReloadSuccessful.name, labels: [])
        output.endLine(reloads.lastWasSuccessful ? 1 : 0)
        output.append(headerOf: .configLastReloadSuccess, in: format)
        output.append(sample: MetricFamily.configLastReloadSuccess.name, labels: [])
        output.endLine(secondsOf: Self.atLeastZero(reloads.lastSuccessNanoseconds))
    }

    private func writeInstance(
        _ counts: InstanceCounts, _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        for (family, count) in [
            (MetricFamily.acceptPauses, counts.acceptPauses), (.logLinesDropped, counts.logLinesDropped),
        ] {
            output.append(headerOf: family, in: format)
            output.append(sample: family.name, labels: [])
            output.endLine(count)
        }
        writeTraces(counts.traces, format, &output)
        output.append(headerOf: .buildInfo, in: format)
        let values = [build.version, build.swift, build.libcurl, build.libmicrohttpd]
        output.append(
            sample: MetricFamily.buildInfo.name,
            labels: zip(MetricFamily.buildInfo.labels, values).map { (name: $0, value: $1) })
        output.endLine(1 as UInt64)
    }

    private func writeTraces(
        _ traces: TraceGauges, _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        output.append(headerOf: .traceSpansExported, in: format)
        output.append(sample: MetricFamily.traceSpansExported.name, labels: [])
        output.endLine(traces.exported)
        output.append(headerOf: .traceSpansDropped, in: format)
        for (reason, count) in [
            ("queue_full", traces.queueFull), ("rejected", traces.rejected), ("shutdown", traces.shutdown),
        ] {
            output.append(sample: MetricFamily.traceSpansDropped.name, labels: [("reason", reason)])
            output.endLine(count)
        }
    }

    private func writeProcess(
        _ process: ProcessGauges, _ format: ExpositionFormat, _ output: inout ExpositionText
    ) {
        func begin(_ family: MetricFamily) {
            output.append(headerOf: family, in: format)
            output.append(sample: family.name, labels: [])
        }
        begin(.processStartTime)
        output.endLine(secondsOf: Self.atLeastZero(process.startNanoseconds))
        begin(.processCPU)
        output.endLine(secondsOf: Self.atLeastZero(process.cpuNanoseconds))
        if let bytes = process.residentBytes {
            begin(.processResidentMemory)
            output.endLine(bytes)
        }
        if let files = process.openFiles {
            begin(.processOpenFiles)
            output.endLine(files)
        }
        begin(.processMaximumFiles)
        output.endLine(process.maximumFiles)
    }

    private static func atLeastZero(_ nanoseconds: Int64) -> UInt64 {
        UInt64(max(0, nanoseconds))
    }
}
