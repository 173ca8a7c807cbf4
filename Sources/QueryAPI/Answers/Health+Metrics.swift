import EventLoop
import Runs
import Store
import Synchronization
import Tracing

extension HealthPicture {
    /// The answer of `/metrics`, hops first.
    func metrics(of spans: SpanMetrics) -> String {
        var text = MetricsText()
        spans.write(to: &text)
        writeGateway(to: &text)
        writeLoops(to: &text)
        writeStore(to: &text)
        writeExporters(to: &text)
        text.begin(.buildInfo)
        text.sample([(.version, surroundings.version)], 1)
        text.add(.startTime, Double(surroundings.startedAt) / 1e9)
        text.add(.cpuTime, Double(process.cpuNanoseconds) / 1e9)
        text.add(.memoryUsage, process.residentBytes)
        return text.text
    }

    private func writeGateway(to text: inout MetricsText) {
        text.add(.malformedHeads, gateway.malformedHeads)
        text.add(.unknownPaths, gateway.unknownPaths)
        text.add(.failedHandshakes, gateway.failedHandshakes)
        text.add(.activeExchanges, gateway.activeExchanges)
        text.begin(.idleConnections)
        for upstream in gateway.upstreams { text.sample([(.provider, upstream.provider)], upstream.idleConnections) }
        text.begin(.connects)
        for upstream in gateway.upstreams { text.sample([(.provider, upstream.provider)], upstream.connects) }
        text.begin(.connectFailures)
        for upstream in gateway.upstreams { text.sample([(.provider, upstream.provider)], upstream.connectFailures) }
    }

    private func writeLoops(to text: inout MetricsText) {
        let loops = surroundings.loops
        text.begin(.loopTurns)
        for loop in loops { text.sample([(.loop, loop.name)], loop.health.turns.load(ordering: .relaxed)) }
        text.begin(.loopBusy)
        for loop in loops { text.sample([(.loop, loop.name)], Double(loop.health.busyNanoseconds.load(ordering: .relaxed)) / 1e9) }
        text.begin(.loopLongestTurn)
        for loop in loops { text.sample([(.loop, loop.name)], Double(loop.health.longestTurn) / 1e9) }
        text.begin(.loopSockets)
        for loop in loops { text.sample([(.loop, loop.name)], loop.health.openSockets.load(ordering: .relaxed)) }
    }

    private func writeStore(to text: inout MetricsText) {
        text.add(.spansRecorded, store.recorded)
        text.add(.spansStored, store.written)
        text.begin(.spansLost)
        // What has not happened yet is 0: a rate needs the sample before the first.
        let lost = store.lost.merging(StoreHealth.lossReasons.map { ($0, 0) }) { count, _ in count }
        for (reason, count) in lost.sorted(by: { $0.key < $1.key }) { text.sample([(.reason, reason)], count) }
        text.add(.spansRetired, store.retiredSpans)
        text.add(.spanQueueSize, store.queuedBytes)
        text.add(.storeSpans, store.spans)
        text.add(.storeRuns, store.runs)
        text.add(.openRuns, store.openRuns)
        text.add(.storeSize, store.bytes)
        text.add(.storeFailing, store.failure == nil ? 0 : 1)
    }

    private func writeExporters(to text: inout MetricsText) {
        func each(_ metric: Metric, _ value: (ExporterState) -> some BinaryInteger) {
            text.begin(metric)
            for exporter in exporters { text.sample([(.destination, exporter.destination)], value(exporter)) }
        }
        each(.spansExported, \.exported)
        each(.spansRejected, \.rejected)
        each(.spansDropped, \.dropped)
        each(.spansUnexported, \.retired)
        each(.exportFailures, \.failures)
        each(.exportBytes, \.bytes)
        each(.exportQueueSpans, \.pending)
        text.begin(.exportQueueAge)
        for exporter in exporters {
            let age = exporter.oldestPending.map { now > $0 ? now - $0 : 0 } ?? 0
            text.sample([(.destination, exporter.destination)], Double(age) / 1e9)
        }
        each(.exportFailing) { $0.isFailing ? 1 : 0 }
    }
}
