/// Every metric we emit: a closed list, so that what is documented is what is emitted. `otel/telemetry.md` is printed from here.
///
/// Names: the GenAI conventions as of 2026-08 (`gen_ai.*`), the semantic conventions 1.44 (`process.*`), and ours under `hopspan.`.
public enum Metric: CaseIterable, Sendable {
    // Hops, as the ledger counts them.
    case exchanges, errors, cost, tokenUsage, operationDuration
    // The gateway's listener and what it calls.
    case malformedHeads, unknownPaths, failedHandshakes, activeExchanges
    case idleConnections, connects, connectFailures
    // Event loops.
    case loopTurns, loopBusy, loopLongestTurn, loopSockets
    // The way of a span: recorded, stored, exported, or lost.
    case spansRecorded, spansStored, spansLost, spansRetired, spanQueueSize
    case storeSpans, storeRuns, openRuns, storeSize, storeFailing
    case spansExported, spansRejected, spansDropped, spansUnexported, exportFailures, exportBytes, exportQueueSpans, exportQueueAge, exportFailing
    // The process.
    case buildInfo, startTime, cpuTime, memoryUsage

    public enum Instrument: String, Sendable { case counter, gauge, histogram }

    /// What a sample can be told apart by.
    public enum Label: String, CaseIterable, Sendable {
        case hopKind = "hopspan.hop.kind"
        case operationName = "gen_ai.operation.name"
        case providerName = "gen_ai.provider.name"
        case requestModel = "gen_ai.request.model"
        case responseModel = "gen_ai.response.model"
        case tokenType = "gen_ai.token.type"
        case errorType = "error.type"
        case status, provider, loop, destination, reason, version
    }

    public struct Definition: Sendable {
        public var name: StaticString
        public var instrument: Instrument
        /// UCUM, as OpenTelemetry has it; in braces what is only counted.
        public var unit: StaticString
        public var labels: [Label]
        /// A sentence.
        public var help: StaticString
    }
}

extension Metric {
    public var definition: Definition {
        switch self {
        case .exchanges: counter("hopspan.exchanges", "{exchange}", [.hopKind, .providerName, .status], "Hops that have ended; status is ok or error.")
        case .errors: counter("hopspan.errors", "{error}", [.hopKind, .providerName, .errorType], "Hops that ended in error, by what went wrong.")
        case .cost: counter("hopspan.cost.usd", "{usd}", [.providerName, .requestModel], "What the hops cost, in US dollars, as far as prices are known.")
        case .tokenUsage:
            histogram(
                "gen_ai.client.token.usage", "{token}", [.operationName, .providerName, .requestModel, .responseModel, .tokenType],
                "Tokens read and written by model calls; the type is input or output.")
        case .operationDuration:
            histogram(
                "gen_ai.client.operation.duration", "s", [.operationName, .providerName, .requestModel, .responseModel, .errorType],
                "Duration of model calls, streams to their end.")

        case .malformedHeads: counter("hopspan.gateway.malformed_heads", "{request}", [], "Requests whose head could not be read; they leave no span.")
        case .unknownPaths: counter("hopspan.gateway.unknown_paths", "{request}", [], "Requests whose path names nothing known; they leave no span.")
        case .failedHandshakes: counter("hopspan.gateway.failed_handshakes", "{handshake}", [], "TLS handshakes with callers that failed; they leave no span.")
        case .activeExchanges: gauge("hopspan.gateway.active_exchanges", "{exchange}", [], "Exchanges that are running.")
        case .idleConnections: gauge("hopspan.upstream.idle_connections", "{connection}", [.provider], "Connections kept open for the next request.")
        case .connects: counter("hopspan.upstream.connects", "{connection}", [.provider], "Connections made.")
        case .connectFailures: counter("hopspan.upstream.connect_failures", "{attempt}", [.provider], "Connections that could not be made, name look-ups included.")

        case .loopTurns: counter("hopspan.loop.turns", "{turn}", [.loop], "Turns of an event loop.")
        case .loopBusy: counter("hopspan.loop.busy", "s", [.loop], "Time an event loop spent running jobs.")
        case .loopLongestTurn: gauge("hopspan.loop.longest_turn", "s", [.loop], "The longest turn of the last half minute to minute: how late a connection may have been served.")
        case .loopSockets: gauge("hopspan.loop.sockets", "{socket}", [.loop], "Sockets an event loop has open.")

        case .spansRecorded: counter("hopspan.spans.recorded", "{span}", [], "Spans that loops have finished and handed to the store.")
        case .spansStored: counter("hopspan.spans.stored", "{span}", [], "Spans written to the store, roots it made itself included.")
        case .spansLost: counter("hopspan.spans.lost", "{span}", [.reason], "Spans that were never stored: the queue was full, or the disk refused.")
        case .spansRetired: counter("hopspan.spans.retired", "{span}", [], "Spans deleted by the store's limits of age and size.")
        case .spanQueueSize: gauge("hopspan.spans.queue.size", "By", [], "Bytes of spans that wait to be stored.")
        case .storeSpans: gauge("hopspan.store.spans", "{span}", [], "Spans in the store.")
        case .storeRuns: gauge("hopspan.store.runs", "{run}", [], "Runs in the store.")
        case .openRuns: gauge("hopspan.store.open_runs", "{run}", [], "Runs that are being followed.")
        case .storeSize: gauge("hopspan.store.size", "By", [], "Bytes of the store on disk.")
        case .storeFailing: gauge("hopspan.store.failing", "1", [], "1 while the store cannot write.")
        case .spansExported: counter("hopspan.export.spans", "{span}", [.destination], "Spans a destination took.")
        case .spansRejected: counter("hopspan.export.rejected", "{span}", [.destination], "Spans a destination refused out of batches it took.")
        case .spansDropped: counter("hopspan.export.dropped", "{span}", [.destination], "Spans given up because a destination refused their batch for good.")
        case .spansUnexported: counter("hopspan.export.retired", "{span}", [.destination], "Spans the store's limits deleted before a destination had them.")
        case .exportFailures: counter("hopspan.export.failures", "{attempt}", [.destination], "Tries to send a batch that failed; most are tried again.")
        case .exportBytes: counter("hopspan.export.sent", "By", [.destination], "Bytes of batches sent, compressed where they are.")
        case .exportQueueSpans: gauge("hopspan.export.queue.spans", "{span}", [.destination], "Stored spans a destination does not have yet.")
        case .exportQueueAge: gauge("hopspan.export.queue.age", "s", [.destination], "How long the oldest of them has waited; 0 without any.")
        case .exportFailing: gauge("hopspan.export.failing", "1", [.destination], "1 while a destination does not take spans.")

        case .buildInfo: gauge("hopspan.build.info", "1", [.version], "Always 1; the label says which build this is.")
        case .startTime: gauge("hopspan.start_time", "s", [], "When the process started, in Unix time.")
        case .cpuTime: counter("process.cpu.time", "s", [], "CPU time of the process, user and system.")
        case .memoryUsage: gauge("process.memory.usage", "By", [], "Resident memory of the process.")
        }
    }

    private func counter(_ name: StaticString, _ unit: StaticString, _ labels: [Label], _ help: StaticString) -> Definition {
        Definition(name: name, instrument: .counter, unit: unit, labels: labels, help: help)
    }

    private func gauge(_ name: StaticString, _ unit: StaticString, _ labels: [Label], _ help: StaticString) -> Definition {
        Definition(name: name, instrument: .gauge, unit: unit, labels: labels, help: help)
    }

    private func histogram(_ name: StaticString, _ unit: StaticString, _ labels: [Label], _ help: StaticString) -> Definition {
        Definition(name: name, instrument: .histogram, unit: unit, labels: labels, help: help)
    }
}

extension Metric {
    /// The name on `/metrics`: dots as underscores, the unit behind it, `_total` behind a counter's (OpenTelemetry specification,
    /// "Prometheus and OpenMetrics Compatibility").
    public var prometheusName: String {
        let definition = definition
        var name = Self.underscored("\(definition.name)")
        switch "\(definition.unit)" {
        case "s": name += "_seconds"
        case "By": name += "_bytes"
        default: break
        }
        return definition.instrument == .counter ? name + "_total" : name
    }

    static func underscored(_ name: String) -> String { String(name.map { $0 == "." ? "_" : $0 }) }
}

extension Metric.Label {
    public var prometheusName: String { Metric.underscored(rawValue) }
}
