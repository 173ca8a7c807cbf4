internal import JSON

/// A change to a body that passes otherwise byte for byte: `text` takes the place of `range`.
public struct BodyEdit: Sendable {
    public let range: Range<Int>
    public let text: StaticString

    /// How many bytes the edited body has more than the original.
    public var growth: Int { text.utf8CodeUnitCount - range.count }
}

/// What must change in a Chat Completions request so that its stream reports usage: `stream_options.include_usage` true
/// (OpenAI API reference, chat/create). The smallest change of the bytes that were sent.
///
/// Filled while the body is read. Of members given twice the last counts, as it does for most servers.
struct UsageInjection {
    /// Just behind the body's opening brace.
    var start = 0
    private var options = Value.absent

    private enum Value {
        case absent
        case null(Range<Int>)
        /// An object whose first member, or closing brace, comes after `start`.
        case object(start: Int, isEmpty: Bool)
        /// An object with an `include_usage` that is not true.
        case refused(Range<Int>)
        /// The caller asked for usage, or sent what no server takes.
        case settled
    }

    /// The pending value is that of `stream_options`.
    @_lifetime(json: copy json)
    mutating func readStreamOptions(_ json: inout JSONReader) throws(JSONError) {
        options = .settled
        if try json.peek() == .null {
            options = .null(try json.rawValue())
        } else if try json.enterObject() {
            let start = json.offset
            options = .object(start: start, isEmpty: true)
            while let key = try json.nextMember() {
                if key.is("include_usage") {
                    let value = try json.rawValue()
                    options = json.bytes.extracting(value).equals("true") ? .settled : .refused(value)
                } else if case .object = options {
                    options = .object(start: start, isEmpty: false)
                }
            }
        }
    }

    /// The change; nil where none is called for.
    var edit: BodyEdit? {
        switch options {
        case .absent: BodyEdit(range: start..<start, text: #""stream_options":{"include_usage":true},"#)
        case .null(let range): BodyEdit(range: range, text: #"{"include_usage":true}"#)
        case .object(let start, isEmpty: true): BodyEdit(range: start..<start, text: #""include_usage":true"#)
        case .object(let start, isEmpty: false): BodyEdit(range: start..<start, text: #""include_usage":true,"#)
        case .refused(let range): BodyEdit(range: range, text: "true")
        case .settled: nil
        }
    }
}
