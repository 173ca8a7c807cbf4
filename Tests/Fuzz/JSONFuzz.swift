import JSON

/// JSON: skipping and reading hold the same grammar, and a tree written reads back as itself.
func fuzzJSON(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    let tree = try? JSONValue(bytes)
    always(skips(bytes) == (tree != nil), "what is skipped is held to the grammar as what is read")
    always(walks(bytes) == (tree != nil), "what is walked is held to the grammar as what is read")
    guard let tree else { return }
    let written = tree.bytes
    always((try? JSONValue(unsafe written.span.bytes)) == tree, "a tree written reads back as itself")
}

private func skips(_ bytes: RawSpan) -> Bool {
    var reader = JSONReader(bytes)
    do {
        try reader.skip()
        try reader.finish()
        return true
    } catch { return false }
}

private func walks(_ bytes: RawSpan) -> Bool {
    var reader = JSONReader(bytes)
    do {
        try walk(&reader)
        try reader.finish()
        return true
    } catch { return false }
}

/// Tries every reading function on every value, and leaves a third element unread.
private func walk(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.bool() != nil { return }
    if try reader.null() { return }
    if let number = try reader.number() {
        always(number.range.count == number.text.byteCount, "a number's range is its text's")
        _ = number.double
        if let decimal = number.decimal, let int = number.int64, decimal.exponent == 0 {
            always(int.magnitude == decimal.digits, "a number is one number")
        }
        return
    }
    if let string = try reader.string() {
        let text = String(string)
        always(string.raw.array.contains(0xFF) || text.utf8.count <= 3 * string.raw.byteCount, "a string is no longer than it came")
        return
    }
    if try reader.enterObject() {
        while let key = try reader.nextMember() {
            if !key.is("skipped") { try walk(&reader) }
        }
        return
    }
    if try reader.enterArray() {
        var index = 0
        while try reader.nextElement() {
            index += 1
            if index % 3 != 0 { try walk(&reader) }
        }
        return
    }
    throw .unexpectedByte
}
