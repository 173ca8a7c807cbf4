import Foundation
import Testing
import Tracing

@Suite struct `The telemetry page` {
    static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "otel/telemetry.md")

    /// `RECORD=1` prints it anew.
    @Test func `is what the lists print`() throws {
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try TelemetryPage.text.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.page, encoding: .utf8) == TelemetryPage.text)
    }

    @Test func `names each attribute and metric once`() {
        let attributes = Attribute.allCases.map { "\($0.name)" }
        #expect(Set(attributes).count == attributes.count)
        let metrics = Metric.allCases.map(\.prometheusName)
        #expect(Set(metrics).count == metrics.count)
    }

    @Test func `has no cell that would break its tables`() {
        for attribute in Attribute.allCases { #expect(!"\(attribute.documentation.meaning)".contains("|")) }
        for metric in Metric.allCases { #expect(!"\(metric.definition.help)".contains("|")) }
    }
}
