import JSON
import JSONRPC
import MCP
import Tracing

/// A message with the bytes it was read from.
struct Message {
    let bytes: [UInt8]
    let envelope: JSONRPCMessage
    /// What a request or notification says; nil of a result or an error.
    let request: MCPRequest?

    /// - Throws: `.unreadable` also where the text is no UTF-8.
    init(_ bytes: [UInt8]) throws(JSONRPCError) {
        // Sound here and below: bytes have no padding.
        guard unsafe UTF8Text.isWellFormed(bytes.span.bytes) else { throw .unreadable }
        try self.init(unchecked: bytes)
    }

    /// The same without a look at the encoding.
    init(unchecked bytes: [UInt8]) throws(JSONRPCError) {
        self.bytes = bytes
        envelope = try unsafe JSONRPCMessage(bytes.span.bytes)
        switch envelope.kind {
        case .request, .notification: request = try unsafe MCPRequest(envelope, bytes.span.bytes)
        case .result, .error: request = nil
        }
    }

    /// A part of it, as it is written.
    func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    /// A whole number that stands in it; nil where something else does.
    func number(_ range: Range<Int>) -> Int64? {
        guard !range.isEmpty else { return nil }
        var json = unsafe JSONReader(bytes.span.bytes.extracting(range))
        return try? json.int64()
    }

    /// The method, for messages of our own.
    var isCancellation: Bool { request?.method == .cancelled }

    /// Its bytes with others in the place of some; the places do not overlap.
    func replacing(_ edits: [(place: Range<Int>, text: [UInt8])]) -> [UInt8] {
        var edited: [UInt8] = []
        edited.reserveCapacity(bytes.count + 64)
        var at = 0
        for edit in edits.sorted(by: { $0.place.lowerBound < $1.place.lowerBound }) where !edit.place.isEmpty {
            edited += bytes[at..<edit.place.lowerBound]
            edited += edit.text
            at = edit.place.upperBound
        }
        edited += bytes[at...]
        return edited
    }

    /// A JSON text on one line: a line break in it is white space, because none may stand in a string (RFC 8259 §7).
    static func onOneLine(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return json }
        return json.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}

// Messages of our own.
extension Message {
    /// An error that answers a request.
    /// - Parameter id: as it is written; empty: none is known.
    static func error(_ code: Int, _ words: String, id: [UInt8]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("jsonrpc")
        json.string("2.0")
        json.key("id")
        // Sound: bytes have no padding.
        if id.isEmpty { json.null() } else { unsafe json.raw(id.span.bytes) }
        json.key("error")
        json.beginObject()
        json.key("code")
        json.int(code)
        json.key("message")
        json.string(words)
        json.endObject()
        json.endObject()
        return json.bytes
    }

    /// A server's error as the answer to a request that it did not name.
    static func error(_ error: [UInt8], id: [UInt8]) -> [UInt8] { Array(#"{"jsonrpc":"2.0","id":"#.utf8) + id + Array(#","error":"#.utf8) + error + Array("}".utf8) }

    /// That a request's answer is no longer wanted.
    static func cancellation(of number: Int64) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(number),"reason":"The client closed the stream."}}"#.utf8)
    }
}
