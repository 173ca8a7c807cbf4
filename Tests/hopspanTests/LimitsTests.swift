import Configuration
import Foundation
import Testing

@testable import Commands
@testable import EventLoop
@testable import Gateway
@testable import HTTP
@testable import LLM
import Store

/// `hopspan help limits` beside what the code goes by.
@Suite struct `The limits that are documented` {
    static let page = Topic.all.first { $0.name == "limits" }!.text()

    /// What stands behind a term of the page's lists.
    private func says(_ term: String) -> Bool { Self.page.contains("\n  \(term) ") }

    private static func time(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds % 60_000 == 0, milliseconds > 60_000 { return "\(milliseconds / 60_000)m" }
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }

    @Test func `are those of sizes`() {
        let gateway = GatewaySettings()
        #expect(says("head \(HeadParser.bytesAtMost >> 10) KiB"))
        #expect(says("fields \(MessageHead.fieldsAtMost)"))
        #expect(says("body \(gateway.maxBody >> 20) MiB"))
        #expect(gateway.maxBody == Configuration.Gateway().maxBody)
    }

    @Test func `are those of times`() {
        let gateway = GatewaySettings()
        #expect(says("head \(Self.time(gateway.headTimeoutNanoseconds))"))
        #expect(says("keep-alive \(Self.time(gateway.keepAliveNanoseconds))"))
        #expect(says("caller \(Self.time(gateway.callerIdleNanoseconds))"))
        #expect(says("upstream \(Self.time(gateway.upstreamIdleNanoseconds))"))
        #expect(gateway.upstreamIdleNanoseconds == UpstreamPool.usualIdleNanoseconds)
        #expect(says("drain \(Self.time(gateway.drainNanoseconds))"))
        #expect(Duration.nanoseconds(Int64(gateway.drainNanoseconds)) == Configuration.Gateway().drain)
        let upstream = UpstreamTimeouts()
        #expect(says("connect \(Self.time(upstream.connect))"))
        #expect(says("first byte \(Self.time(upstream.firstByte))"))
        #expect(says("idle \(Self.time(upstream.idle))"))
        #expect(upstream.total == .max)
        #expect(says("store \(Self.time(Store.Options(path: "").gather.nanoseconds))"))
        #expect(says("names \(Resolver.usualLifetimeSeconds)s"))
    }

    /// Every error of the gateway's has its status on the page.
    @Test func `are answered as is said`() {
        let heads = (0...UInt8.max).compactMap { HeadError(rawValue: $0) }
        let errors: [GatewayError] =
            heads.map { .badRequest(.head($0)) }
            + [
                .badRequest(.stream(.timedOut)), .badRequest(.bodyTooLarge), .bodyTooLarge(limit: 1), .upgrade, .foreignHost, .pathLeadsUp, .notConfigured(""),
                .methodNotAllowed, .callerGone, .connect(.timedOut), .connect(.refused(1)), .upstreamReset, .upstreamCut, .malformedAnswer, .unanswered,
                .firstByteTimeout, .idleTimeout, .totalTimeout, .draining, .shutdown,
            ]
        let answers = Self.page.components(separatedBy: "Answers that are the gateway's own")[1]
        for status in Set(errors.map(\.status)) { #expect(answers.range(of: "\n  ([0-9, ]+)?\(status)", options: .regularExpression) != nil, "\(status)") }
        for error in errors where error.errorType.description.first!.isNumber { #expect(error.errorType.description == "\(error.status)", "\(error)") }
    }
}
