@testable import Export
import OTLP
import Testing

@Suite struct `Waits between tries` {
    @Test func `double up to a limit`() {
        var backoff = Backoff(BackoffLimits())
        #expect((0..<7).map { _ in backoff.wait(random: 1) } == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        backoff.reset()
        #expect(backoff.wait(random: 1) == .seconds(1))
    }

    @Test func `are between half and all of that`() {
        var backoff = Backoff(BackoffLimits())
        #expect(backoff.wait(random: 0) == .milliseconds(500))
        #expect(backoff.wait(random: 0.5) == .milliseconds(1_500))
        for _ in 0..<100 { #expect((.seconds(2) ... .seconds(30)).contains(backoff.wait())) }
    }
}

@Suite struct `Retry-After` {
    /// 2026-01-02 03:04:05
    private static let now: Int64 = 1_767_323_045

    @Test(arguments: [
        ("0", .zero), ("120", .seconds(120)), ("Fri, 02 Jan 2026 03:05:05 GMT", .seconds(60)), ("Fri, 02 Jan 2026 03:00:00 GMT", .zero),
    ] as [(String, Duration)]) func `is seconds or a date`(_ value: String, _ wait: Duration) {
        #expect(ExportOutcome.retryAfter(value, now: Self.now) == wait)
    }

    @Test(arguments: [nil, "", "-1", "1.5", "soon", "+1", "1 s"]) func `is nothing where it is neither`(_ value: String?) {
        #expect(ExportOutcome.retryAfter(value, now: Self.now) == nil)
    }

    @Test func `may be larger than any number`() {
        #expect(ExportOutcome.retryAfter("99999999999999999999", now: Self.now)! > .seconds(1_000_000_000))
    }
}

@Suite struct `The resource of our spans` {
    private func resource(_ attributes: [(key: String, value: String)]) -> [String: String] {
        let source = SpanSource.hopspan(version: "1", serviceName: "svc", instance: "i", attributes: attributes)
        var resource: [String: String] = [:]
        for attribute in source.resource {
            guard case .string(let value) = attribute.value else { continue }
            #expect(resource.updateValue(value, forKey: attribute.key) == nil, "\(attribute.key) is there twice")
        }
        return resource
    }

    private static let ours = [
        "service.name": "svc", "service.version": "1", "service.instance.id": "i", "telemetry.sdk.name": "hopspan", "telemetry.sdk.language": "swift",
        "telemetry.sdk.version": "1",
    ]

    @Test func `says who we are`() {
        #expect(resource([]) == Self.ours)
    }

    @Test func `takes what the environment adds, and lets it replace version and instance`() {
        var expected = Self.ours
        expected["service.version"] = "2"
        expected["service.instance.id"] = "other"
        expected["service.namespace"] = "shop"
        #expect(
            resource([
                ("service.version", "2"), ("service.instance.id", "other"), ("service.namespace", "shop"), ("service.namespace", "again"),
                ("telemetry.sdk.name", "opentelemetry"), ("service.name", "no"),
            ]) == expected)
    }
}
