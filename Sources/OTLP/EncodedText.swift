internal import COTLP
internal import Tracing

/// A text as it may go on the wire: UTF-8, no longer than the limit, in its own place where it is both, else copied.
@unsafe struct EncodedText {
    let start: UnsafeRawPointer?
    let length: Int

    /// - Parameters:
    ///   - text: must stay where it is as long as this is used.
    ///   - lengthLimit: code points.
    init(_ text: RawSpan, lengthLimit: Int = .max, _ arena: inout Arena) {
        if UTF8Text.isWellFormed(text) {
            unsafe start = text.withUnsafeBytes { $0.baseAddress }
            unsafe length = text.byteCount <= lengthLimit ? text.byteCount : UTF8Text.prefixLength(of: text, codePoints: lengthLimit)
        } else {
            let mended = unsafe arena.copy(UTF8Text.mended(text))
            unsafe start = mended.baseAddress
            unsafe length = UTF8Text.prefixLength(of: mended.bytes, codePoints: lengthLimit)
        }
    }

    var binary: ProtobufCBinaryData { unsafe ProtobufCBinaryData(start, length) }
}

/// A list of texts as an attribute's value, in the arena.
@unsafe struct TextArray {
    let message: UnsafeMutablePointer<PBTextArray>
    /// At least what the list takes when packed.
    let packedSizeLimit: Int

    /// - Parameter entry: the value of a `strings` entry of a span draft; must stay where it is as long as this is used.
    init(_ entry: RawSpan, lengthLimit: Int, _ arena: inout Arena) {
        var count = 0
        SpanEntry.forEachElement(of: entry) { _ in count += 1 }
        let elements = unsafe arena.room(for: count, of: PBTextValue.self)
        let pointers = unsafe arena.room(for: count, of: UnsafeMutablePointer<PBTextValue>?.self)
        var size = WireFormat.headSizeLimit
        var index = 0
        SpanEntry.forEachElement(of: entry) { element in
            // Sound: `index` stays below `count`: the same list is walked.
            unsafe hopspan__text_value__init(elements + index)
            let text = unsafe EncodedText(element, lengthLimit: lengthLimit, &arena)
            unsafe elements[index].string_value = text.binary
            unsafe (pointers + index).initialize(to: elements + index)
            size += unsafe text.length + 2 * WireFormat.headSizeLimit
            index += 1
        }
        unsafe message = arena.room(for: 1, of: PBTextArray.self)
        unsafe hopspan__text_array__init(message)
        unsafe message.pointee.n_values = count
        unsafe message.pointee.values = pointers
        unsafe packedSizeLimit = size
    }
}
