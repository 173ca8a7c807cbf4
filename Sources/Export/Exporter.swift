import Deflate
import EventLoop
import HTTP
import OTLP
import Store
import TLS

/// Follows the store for one destination: batches out, cursor on, one batch at a time.
///
/// The store is the queue. A batch that fails for a reason that may pass is sent until it arrives; what the receiver refuses for
/// good is counted and passed over. All of it runs on the exporter's own thread, a loop that is allowed to block on the disk.
actor Exporter {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private let destination: ExportDestination
    private let source: ExportSource
    private let client: HTTPClient
    private let shared: ExporterShared
    private let headers: HTTPFields

    private var cursor: Int64 = 0
    private let frame: TracesFrame
    private var batch: ExportBatch
    private var deflater = Deflater()
    private var gzip = GzipBody()
    private var backoff: Backoff
    /// Tries in a row that failed.
    private var failures = 0
    /// It has been told that the receiver is not there, or not able to.
    private var outageIsKnown = false
    /// The last answer refused a batch for good.
    private var isRefused = false
    /// Less than the destination's after a 413; grows back while batches are taken.
    private var bytesAtMost: Int
    private var batchesSinceRefusal = 0
    private static let batchesBeforeGrowth = 100

    init(
        _ destination: ExportDestination, _ source: sending ExportSource, spans: SpanSource, version: String, loop: EventLoop, resolver: Resolver,
        tls: TLSContext?, shared: ExporterShared
    ) {
        self.loop = loop
        self.destination = destination
        self.shared = shared
        let proxy = destination.proxy
        client = HTTPClient(on: loop, resolver: resolver, tls: tls) { _ in proxy }
        frame = TracesFrame(source: spans)
        batch = ExportBatch(frontRoom: frame.frontRoom, takesDeflated: destination.isCompressed)
        backoff = Backoff(destination.backoff)
        bytesAtMost = destination.bytesAtMost
        self.source = source
        var headers: HTTPFields = [
            "content-type": "application/x-protobuf",
            // "OTel-OTLP-Exporter-<Language>/<version>", with the product in front (OTLP exporter specification, User Agent).
            "user-agent": "Hopspan/\(version) OTel-OTLP-Exporter-Swift/\(version)",
        ]
        if destination.isCompressed { headers.append("content-encoding", "gzip") }
        for line in destination.headers.lines { headers.append(line.name, line.value) }
        self.headers = headers
    }

    /// Exports until it is told to end and has nothing left, or no time.
    /// - Parameter cursor: the number of the last span that the destination has.
    func run(from cursor: Int64) async {
        self.cursor = cursor
        while await isTimeToExport() { await exportBatch() }
        await client.close()
        shared.ended()
        loop.stop()
    }

    /// Breaks off the request that runs, if one does: there is no time left to wait for it.
    func abort() async { await client.close() }

    /// Waits until spans are to be sent: a full batch, or some that have waited long enough. False when the end has come.
    private func isTimeToExport() async -> Bool {
        var due: UInt64?
        while true {
            let now = Clock.system.monotonic
            let pending = source.latest() - cursor
            shared.update { health in
                health.pending = max(0, pending)
                if pending <= 0 { health.oldestPending = nil }
            }
            if let end = shared.end { return pending > 0 && now < end }
            if pending >= Int64(destination.spansAtMost) { return true }
            if pending > 0 {
                let time = due ?? now + destination.batchDelay.nanoseconds
                if now >= time { return true }
                due = time
            } else {
                due = nil
            }
            await shared.bell.wait(on: loop, until: due ?? .max)
        }
    }

    /// Reads the next batch and sends it until that is settled.
    private func exportBatch() async {
        // Asked first: what is stored by then, and is not found afterwards, retention has taken.
        let latest = source.latest()
        do {
            let isThere = try source.read(cursor, destination.spansAtMost, bytesAtMost, &batch)
            guard isThere, batch.upTo > cursor else { return advance(to: latest) }
        } catch {
            return await fail("the store cannot be read: \(error.reason)", wait: backoff.wait())
        }
        guard batch.count > 0 else { return advance(to: batch.upTo) }
        let oldest = source.oldest(cursor)
        shared.update { $0.oldestPending = oldest }

        guard frame.byteCount(around: batch.byteCount) <= ExportDestination.requestBytesAtMost else { return drop("larger than 64 MiB") }
        await deliver(encodedBody())
    }

    private func encodedBody() -> [UInt8] {
        guard batch.pieces.isEmpty else { return joinedBody() }
        return frame.withMessage(around: &batch.fields) { message in
            guard destination.isCompressed else { return [UInt8](copying: message) }
            deflater.compress(message)
            return deflater.withOutput { [UInt8](copying: $0) }
        }
    }

    /// The message around spans that are deflated already.
    private func joinedBody() -> [UInt8] {
        let (front, back) = frame.envelope(around: batch.byteCount)
        let deflated = batch.deflated
        // Sound here and below: a UInt8 has no padding.
        let bytes = unsafe deflated.span.bytes
        gzip.reset()
        unsafe gzip.append(front.span.bytes)
        for piece in batch.pieces { gzip.append(deflated: bytes.extracting(piece.range), size: piece.size, checksum: piece.checksum) }
        unsafe gzip.append(back.span.bytes)
        gzip.finish()
        return gzip.bytes
    }

    /// Sends one batch until it is taken, refused, or time is up.
    private func deliver(_ body: [UInt8]) async {
        var request = HTTPClientRequest(.post, destination.origin, target: destination.target, headers: headers, body: body)
        while true {
            request.timeout = timeLeft()
            let result: Result<HTTPClientResponse, HTTPClientError>
            do throws(HTTPClientError) { result = .success(try await client.send(request)) } catch { result = .failure(error) }
            let wait: Duration
            switch ExportOutcome(result, now: Int64(Clock.system.wall / 1_000_000_000)) {
            case .accepted(let rejected, let message): return accept(rejected: min(rejected, batch.count), hidden(message), bytes: body.count)
            case .refused(let reason): return refuse(hidden(reason))
            case .tooLarge:
                if batch.count == 1 { return drop("HTTP 413, the span alone is too large") }
                bytesAtMost = max(1, batch.byteCount / 2)
                batchesSinceRefusal = 0
                note("HTTP 413, sent again in smaller batches")
                return
            case .absent(let reason):
                wait = backoff.wait()
                if shared.end != nil { return giveUp(hidden(reason)) }
                await fail(hidden(reason), wait: wait)
            case .retry(let after, let reason):
                // Not before the receiver wants it, and not at once if it says so: its clock, or its mind, may be wrong.
                wait = max(after ?? .zero, backoff.wait())
                if let end = shared.end, Clock.system.monotonic + wait.nanoseconds >= end { return giveUp(hidden(reason)) }
                await fail(hidden(reason), wait: wait)
            }
        }
    }

    /// The destination's time-out, but not past the end.
    private func timeLeft() -> Duration? {
        guard let end = shared.end else { return destination.timeout }
        let now = Clock.system.monotonic
        let left = Duration.nanoseconds(Int64(end > now ? end - now : 0))
        return min(destination.timeout ?? left, left)
    }

    // MARK: what becomes of a batch

    private func accept(rejected: Int, _ message: String, bytes: Int) {
        let count = batch.count
        let now = Clock.system.wall
        shared.update { health in
            health.exported += UInt64(count - rejected)
            health.rejected += UInt64(rejected)
            health.bytes += UInt64(bytes)
            health.lastSuccessAt = now
        }
        settle()
        if rejected > 0 {
            note(message.isEmpty ? "spans were rejected" : message)
            shared.report(.rejected(spans: rejected, message: message))
        } else if !message.isEmpty {
            shared.report(.warned(message: message))
        }
        batchesSinceRefusal += 1
        if batchesSinceRefusal == Self.batchesBeforeGrowth {
            batchesSinceRefusal = 0
            bytesAtMost = min(bytesAtMost * 2, destination.bytesAtMost)
        }
    }

    /// Gives up spans that no receiver would take; it says nothing of this one.
    private func drop(_ reason: String) {
        note(reason)
        shared.report(.dropped(spans: batch.count, reason: reason))
        passOver()
    }

    /// Gives up what the receiver refused. Sending it again is forbidden (OTLP 1.11, "Failures"), but all is not well: a wrong key would
    /// lose every span.
    private func refuse(_ reason: String) {
        failed(reason)
        if !isRefused { shared.report(.dropped(spans: batch.count, reason: reason)) }
        isRefused = true
        backoff.reset()
        passOver()
    }

    private func passOver() {
        let count = batch.count
        shared.update { health in
            health.dropped += UInt64(count)
            health.batches += 1
        }
        advance(to: batch.upTo)
    }

    private func settle() {
        shared.update { health in
            health.batches += 1
            health.isFailing = false
        }
        if failures > 0 { shared.report(.recovered(failures: failures)) }
        failures = 0
        isRefused = false
        outageIsKnown = false
        backoff.reset()
        advance(to: batch.upTo)
    }

    private func advance(to place: Int64) {
        cursor = place
        source.acknowledge(cursor)
        let cursor = cursor
        shared.update { $0.cursor = cursor }
    }

    /// A try failed; the next one comes after a while, or when the end is asked for.
    private func fail(_ reason: String, wait: Duration) async {
        count(failure: reason)
        await pause(wait)
    }

    private func pause(_ wait: Duration) async {
        let pending = source.latest() - cursor
        shared.update { health in
            health.backoff = wait
            health.pending = max(0, pending)
        }
        let wasEnding = shared.end != nil
        let until = min(Clock.system.monotonic + wait.nanoseconds, shared.end ?? .max)
        while Clock.system.monotonic < until, (shared.end != nil) == wasEnding { await shared.bell.wait(on: loop, until: until) }
        shared.update { $0.backoff = nil }
    }

    /// The end has come and the receiver is not there: the spans stay in the store for the next start.
    private func giveUp(_ reason: String) {
        count(failure: reason)
        shared.endNow()
    }

    private func count(failure reason: String) {
        failed(reason)
        // Also where a refusal, which is told of as such, came before it.
        if !outageIsKnown { shared.report(.failing(reason: reason)) }
        outageIsKnown = true
    }

    private func failed(_ reason: String) {
        failures += 1
        shared.update { health in
            health.failures += 1
            health.isFailing = true
        }
        note(reason)
    }

    private func note(_ reason: String) {
        let now = Clock.system.wall
        shared.update { health in
            health.lastError = reason
            health.lastErrorAt = now
        }
    }

    /// A receiver's words, unless they repeat what was sent to it in confidence.
    private func hidden(_ words: String) -> String {
        destination.confidences.contains { words.contains($0) } ? "(withheld: it repeats a header or the query)" : words
    }
}

extension [UInt8] {
    init(copying bytes: RawSpan) {
        // Sound: copied before the closure returns.
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
