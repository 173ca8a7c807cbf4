import EventLoop
import JSON
import Store
import Synchronization
import Tracing

/// What `/api/health` and `/metrics` tell: one picture, taken for each answer.
struct HealthPicture: Sendable {
    var surroundings: Surroundings
    var store: StoreHealth
    var gateway: GatewayState
    var exporters: [ExporterState]
    var process: ProcessFigures
    /// Unix nanoseconds.
    var now: UInt64
}

extension HealthPicture {
    /// The answer of `/api/health`.
    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("status")
        json.string(surroundings.readiness().rawValue)
        json.key("version")
        json.string(surroundings.version)
        json.time("started_at", surroundings.startedAt)
        json.duration("uptime_ms", now > surroundings.startedAt ? now - surroundings.startedAt : 0)
        writeGateway(to: &json)
        writeStore(to: &json)
        json.key("exporters")
        json.beginArray()
        for exporter in exporters { write(exporter, to: &json) }
        json.endArray()
        json.key("loops")
        json.beginArray()
        for loop in surroundings.loops {
            json.beginObject()
            json.key("name")
            json.string(loop.name)
            json.number("turns", loop.health.turns.load(ordering: .relaxed))
            json.duration("busy_ms", loop.health.busyNanoseconds.load(ordering: .relaxed))
            json.duration("longest_turn_ms", loop.health.longestTurn)
            json.number("open_sockets", loop.health.openSockets.load(ordering: .relaxed))
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private func writeGateway(to json: inout JSONWriter) {
        json.key("gateway")
        json.beginObject()
        json.number("active_exchanges", gateway.activeExchanges)
        json.number("malformed_heads", gateway.malformedHeads)
        json.number("unknown_paths", gateway.unknownPaths)
        json.number("failed_handshakes", gateway.failedHandshakes)
        json.endObject()
        json.key("upstreams")
        json.beginArray()
        for upstream in gateway.upstreams {
            json.beginObject()
            json.key("provider")
            json.string(upstream.provider)
            json.number("idle_connections", upstream.idleConnections)
            json.number("connects", upstream.connects)
            json.number("connect_failures", upstream.connectFailures)
            json.endObject()
        }
        json.endArray()
    }

    private func writeStore(to json: inout JSONWriter) {
        json.key("store")
        json.beginObject()
        json.number("spans", store.spans)
        json.number("runs", store.runs)
        json.number("open_runs", store.openRuns)
        json.number("bytes", store.bytes)
        json.number("recorded", store.recorded)
        json.number("stored", store.written)
        json.number("queued_bytes", store.queuedBytes)
        json.key("lost")
        json.beginObject()
        for (reason, count) in store.lost.sorted(by: { $0.key < $1.key }) {
            json.key(reason)
            json.int(count)
        }
        json.endObject()
        json.number("retired_spans", store.retiredSpans)
        json.number("retired_runs", store.retiredRuns)
        json.text("failure", store.failure?.description)
        json.time("failing_since", store.failingSince)
        json.endObject()
    }

    private func write(_ exporter: ExporterState, to json: inout JSONWriter) {
        json.beginObject()
        json.key("destination")
        json.string(exporter.destination)
        json.flag("failing", exporter.isFailing)
        json.duration("backoff_ms", exporter.backoff)
        json.number("exported", exporter.exported)
        json.number("rejected", exporter.rejected)
        json.number("dropped", exporter.dropped)
        json.number("retired", exporter.retired)
        json.number("failures", exporter.failures)
        json.number("sent_bytes", exporter.bytes)
        json.number("pending_spans", exporter.pending)
        json.duration("oldest_pending_ms", exporter.oldestPending.map { now > $0 ? now - $0 : 0 })
        json.time("last_success_at", exporter.lastSuccessAt)
        json.text("last_error", exporter.lastError)
        json.time("last_error_at", exporter.lastErrorAt)
        json.endObject()
    }
}
