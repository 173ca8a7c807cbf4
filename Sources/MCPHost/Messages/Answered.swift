import JSON
import JSONRPC
import MCP

// Which request a message is about that could not be read to its end, and where a message says which subscription it belongs to.
extension LineReader.Cut {
    /// The request that a message too long to be read answers, as far as its two ends tell: servers write an id first or last.
    var answeredNumber: Int64? { Self.numberAtStart(start) ?? Self.numberAtEnd(end) }

    private static func numberAtStart(_ bytes: [UInt8]) -> Int64? {
        var json = unsafe JSONReader(bytes.span.bytes)  // sound: bytes have no padding
        guard (try? json.enterObject()) == true else { return nil }
        while let key = try? json.nextMember() {
            if key.is("method") { return nil }
            if key.is("id") { return (try? json.int64()).flatMap { $0 } }
        }
        return nil
    }

    private static func numberAtEnd(_ bytes: [UInt8]) -> Int64? {
        let text = String(decoding: bytes, as: UTF8.self)
        for tail in ["}", #","jsonrpc":"2.0"}"#] where text.hasSuffix(tail) {
            let rest = text.dropLast(tail.count)
            let digits = rest.reversed().prefix { $0.isASCII && $0.isWholeNumber }
            let before = rest.dropLast(digits.count)
            if before.hasSuffix(#","id":"#) || before.hasSuffix(#","id": "#) || before.hasSuffix(#", "id": "#) { return Int64(String(digits.reversed())) }
        }
        return nil
    }
}

extension Message {
    /// Where a message of a subscription's names it (`_meta`, MCP 2026-07-28): in the params of a notification or in a result. Empty where
    /// it does not.
    var subscription: Range<Int> {
        let place = envelope.params ?? envelope.outcome
        guard !place.isEmpty else { return 0..<0 }
        return (try? Self.subscription(in: bytes, place)) ?? 0..<0
    }

    private static func subscription(in bytes: [UInt8], _ place: Range<Int>) throws(JSONError) -> Range<Int> {
        var json = unsafe JSONReader(bytes.span.bytes.extracting(place))  // sound: bytes have no padding
        guard try json.enterObject() else { return 0..<0 }
        while let key = try json.nextMember() {
            guard key.is("_meta"), try json.enterObject() else { continue }
            while let key = try json.nextMember() {
                guard key.is("io.modelcontextprotocol/subscriptionId") else { continue }
                let value = try json.rawValue()
                return place.lowerBound + value.lowerBound..<place.lowerBound + value.upperBound
            }
            return 0..<0
        }
        return 0..<0
    }
}
