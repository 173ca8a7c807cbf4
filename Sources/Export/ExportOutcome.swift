import EventLoop
import HTTP
import OTLP

/// What an answer to a batch, or the lack of one, means (OTLP 1.11, "OTLP/HTTP Response").
enum ExportOutcome: Equatable {
    /// Taken, but for `rejected` spans, which are not to be sent again.
    case accepted(rejected: Int, message: String)
    /// To be sent again, after a while; where the receiver named one, not before it is over.
    case retry(after: Duration?, reason: String)
    /// Nobody listens: to be sent again as well, but not in a hurry.
    case absent(reason: String)
    /// 413: a smaller batch may do.
    case tooLarge
    /// Not to be sent again.
    case refused(reason: String)

    /// A mistaken `Retry-After` does not stop the export for longer.
    private static let waitAtMost = Duration.seconds(3600)

    /// - Parameter now: Unix seconds.
    init(_ result: Result<HTTPClientResponse, HTTPClientError>, now: Int64) {
        switch result {
        case .success(let answer): self.init(answer, now: now)
        case .failure(let error):
            switch error {
            case .connect: self = .absent(reason: error.description)
            // "The client MUST … treat the response as a non-retryable error" where it exceeds the limit.
            case .answerTooLarge, .malformedURL, .malformedRequest: self = .refused(reason: error.description)
            case .timedOut, .cut, .malformedAnswer, .closed: self = .retry(after: nil, reason: error.description)
            }
        }
    }

    private init(_ answer: HTTPClientResponse, now: Int64) {
        let isProtobuf = answer.headers["content-type"]?.lowercased().hasPrefix("application/x-protobuf") == true
        switch answer.status {
        case 200..<300:
            // The batch was taken, whatever the body says.
            let response = isProtobuf ? try? ExportResponse(decoding: answer.body.raw) : nil
            self = .accepted(rejected: Int(clamping: max(0, response?.rejectedSpans ?? 0)), message: ExportOutcome.clean(response?.errorMessage ?? ""))
        case 413: self = .tooLarge
        case 429, 502, 503, 504:
            let status = isProtobuf ? RPCStatus(decoding: answer.body.raw) : nil
            let wait = Self.retryAfter(answer.headers["retry-after"], now: now) ?? status?.retryDelay
            self = .retry(after: wait.map { min($0, Self.waitAtMost) }, reason: Self.reason(answer.status, status))
        // Redirects are not followed: nothing says that the other place is one for spans. The operator may mend it, so nothing is lost.
        case 300..<400: self = .retry(after: nil, reason: "HTTP \(answer.status), a redirect")
        default: self = .refused(reason: Self.reason(answer.status, isProtobuf ? RPCStatus(decoding: answer.body.raw) : nil))
        }
    }

    private static func reason(_ status: Int, _ body: RPCStatus?) -> String {
        let message = clean(body?.message ?? "")
        return message.isEmpty ? "HTTP \(status)" : "HTTP \(status): \(message)"
    }

    /// Seconds, or a date (RFC 9110 §10.2.3).
    static func retryAfter(_ value: String?, now: Int64) -> Duration? {
        guard let value else { return nil }
        if !value.isEmpty, value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            return .seconds(Int64(value) ?? .max / 2)
        }
        return HTTPDate.parse(value, now: now).map { .seconds(max(0, $0 - now)) }
    }

    /// A receiver's words, fit for a line of the log.
    private static func clean(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(300).map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? " " : $0 }))
    }
}

extension [UInt8] {
    var raw: RawSpan {
        @_lifetime(borrow self) get {
            unsafe span.bytes  // sound: a UInt8 has no padding
        }
    }
}
