import Foundation

/// An `application/vnd.amazon.eventstream` told by lines, one message each:
///
///     messageStop {"stopReason":"end_turn"}          an event and its payload
///     exception throttlingException {"message":…}    an exception
///     error 503 Try again                            an error: code and message
///     chunk base64 {"type":"message_stop"}           an event whose payload is `{"bytes":"…"}`
///     hex 00000000                                   bytes as they are
///
/// Where the exchange is cut, half of the last message has come.
enum AmazonMessages {
    static let contentType = "application/vnd.amazon.eventstream"

    static func encode(_ lines: String, isComplete: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = []
        var lastCount = 0
        for line in lines.split(separator: "\n") {
            let message = message(line)
            lastCount = message.count
            bytes += message
        }
        return isComplete ? bytes : Array(bytes.dropLast(lastCount / 2))
    }

    private static func message(_ line: Substring) -> [UInt8] {
        var words = line.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? words[1] : ""
        switch words[0] {
        case "hex":
            let digits = Array(rest)
            return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
        case "exception":
            words = rest.split(separator: " ", maxSplits: 1)
            return frame([(":exception-type", String(words[0])), (":content-type", "application/json"), (":message-type", "exception")], Array(words[1].utf8))
        case "error":
            words = rest.split(separator: " ", maxSplits: 1)
            return frame([(":error-code", String(words[0])), (":error-message", String(words[1])), (":message-type", "error")], [])
        default:
            var payload = Array(rest.utf8)
            if rest.hasPrefix("base64 ") { payload = Array(#"{"bytes":"\#(Data(rest.dropFirst(7).utf8).base64EncodedString())","p":"abc"}"#.utf8) }
            return frame([(":event-type", String(words[0])), (":content-type", "application/json"), (":message-type", "event")], payload)
        }
    }

    static func frame(_ headers: [(String, String)], _ payload: [UInt8]) -> [UInt8] {
        var head: [UInt8] = []
        for (name, value) in headers {
            head += [UInt8(name.utf8.count)] + Array(name.utf8) + [7, UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 0xFF)] + Array(value.utf8)
        }
        return frame(headers: head, payload)
    }

    static func frame(headers: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        var message = word(16 + headers.count + payload.count) + word(headers.count)
        message += word(Int(sum(message)))
        message += headers + payload
        return message + word(Int(sum(message)))
    }

    static func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// CRC-32 (ISO 3309), bit by bit.
    static func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~sum
    }
}
