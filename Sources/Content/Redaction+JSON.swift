internal import JSON

extension Redaction {
    /// Masks the strings of a JSON text, and numbers that are card numbers; it stays JSON. What is no JSON is masked as a text.
    public static func apply(toJSON text: [UInt8]) -> [UInt8] {
        // Sound: bytes have no padding.
        var reader = JSONReader(unsafe text.span.bytes)
        var writer = JSONWriter()
        do throws(JSONError) {
            try copy(&reader, &writer)
            try reader.finish()
            return writer.bytes
        } catch {
            return apply(to: text)
        }
    }

    /// Copies the pending value.
    @_lifetime(reader: copy reader)
    private static func copy(_ reader: inout JSONReader, _ writer: inout JSONWriter) throws(JSONError) {
        if let string = try reader.string() {
            var text: [UInt8] = []
            string.append(to: &text)
            write(apply(to: text), &writer)
        } else if try reader.enterObject() {
            writer.beginObject()
            while let key = try reader.nextMember() {
                var text: [UInt8] = []
                key.append(to: &text)
                writer.key(String(decoding: apply(to: text), as: UTF8.self))
                try copy(&reader, &writer)
            }
            writer.endObject()
        } else if try reader.enterArray() {
            writer.beginArray()
            while try reader.nextElement() { try copy(&reader, &writer) }
            writer.endArray()
        } else if let number = try reader.number() {
            let digits = unsafe number.text.withUnsafeBytes { unsafe Array($0) }
            let masked = apply(to: digits)
            if masked == digits { writer.raw(number.text) } else { write(masked, &writer) }
        } else {
            let value = try reader.rawValue()
            writer.raw(reader.bytes.extracting(value))
        }
    }

    private static func write(_ text: [UInt8], _ writer: inout JSONWriter) { writer.string(utf8: unsafe text.span.bytes) }
}
