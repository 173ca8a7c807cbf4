import EventLoop
import HTTP
import JSONRPC

/// What becomes of one JSON text of an answer.
enum AnswerEdit {
    /// It passes as it came.
    case none
    /// These changes, in order, none within another.
    case changes([MessageEdit])
    /// It is nothing that could be judged, and does not pass.
    case unreadable
}

/// Changes an answer on its way to the caller: takes out of it what the caller may not see, or puts in it what is true only here.
///
/// A body is held to its end, an event of a stream to the event's; what is larger than the limit is not passed. Everything else goes on
/// at once, as it came. An answer is asked for without a content coding; one that is coded nevertheless does not pass either.
final class AnswerEditor {
    /// The largest body and the largest event, in bytes.
    static let limit = 16 << 20

    private let edit: (RawSpan) -> AnswerEdit
    private var events = EventStreamReader(limit: AnswerEditor.limit)
    /// The answer is one text.
    fileprivate(set) var takesBody = false
    /// Why nothing more may pass.
    fileprivate(set) var failure: GatewayError?

    /// - Parameter edit: called with each whole text, on the loop or on the thread beside it; it must not keep it.
    init(_ edit: @escaping (RawSpan) -> AnswerEdit) { self.edit = edit }

    /// The bytes of an event that is not whole yet.
    var heldByteCount: Int { events.heldByteCount }

    func callAsFunction(_ text: RawSpan) -> AnswerEdit { edit(text) }

    /// The next bytes of a stream.
    /// - Parameter emit: called with what may pass of it now, in order.
    func read(_ chunk: RawSpan, _ emit: (RawSpan) -> Void) { events.read(chunk) { take($0, emit) } }

    /// The stream has ended.
    func finish(_ emit: (RawSpan) -> Void) { events.finish { take($0, emit) } }

    private func take(_ event: borrowing EventStreamEvent, _ emit: (RawSpan) -> Void) {
        guard failure == nil else { return }
        switch event.verdict {
        case .piece, .lastPiece: failure = .answerTooLarge(limit: Self.limit)
        case .whole, .unterminated:
            guard event.data.byteCount > 0 else { return emit(event.raw) }
            switch edit(event.data) {
            case .none: emit(event.raw)
            // Nobody can act on it who reads it as strictly.
            case .unreadable: break
            case .changes(let edits):
                var data: [UInt8] = []
                // Sound here and below: bytes have no padding.
                edits.apply(to: event.data) { piece in unsafe piece.withUnsafeBytes { unsafe data.append(contentsOf: $0) } }
                unsafe event.write(data: data.span.bytes, emit)
            }
        }
    }
}

// The steps of an exchange whose answer is edited.
extension Exchange {
    /// The answer is to go through `edit`, text by text. To be said before the request goes out.
    func editAnswer(_ edit: @escaping (RawSpan) -> AnswerEdit) { editor = AnswerEditor(edit) }

    /// The answer's head has come.
    func editedAnswerBegins(isEventStream: Bool, isCoded: Bool) {
        guard let editor, answer.framing != .none else { return }
        editor.failure = nil
        if isCoded { return editor.failure = .answerUnreadable }
        editsEvents = isEventStream
        editor.takesBody = !isEventStream
    }

    /// A piece of a stream: what the caller shall get of it now is appended to `body`.
    func editEvents(_ piece: RawSpan, _ clock: Clock) {
        observe(piece, clock)
        let body = body
        editor?.read(piece) { body.append($0) }
    }

    /// The stream has ended: what was held of it is appended to `body`.
    func lastEventEnds() {
        let body = body
        editor?.finish { body.append($0) }
    }

    /// An event is open that would take long to read.
    var holdsLargeEvent: Bool { editsEvents && (editor?.heldByteCount ?? 0) > Worker.readAtOnce }

    /// The exchange's task must see to the next piece of a stream.
    var editsInTask: Bool { holdsLargeEvent || editor?.failure != nil }

    /// The answer's body stands whole in `body`: reads it, and edits it there.
    func editBody(_ clock: Clock) {
        guard let editor else { return }
        let body = body
        isCollected = true
        observe(body.bytes, clock)
        answerEnded(clock)
        guard body.count > 0 else { return }
        switch editor(body.bytes) {
        case .none: break
        case .changes(let edits):
            let original = body.giveUp()
            edits.apply(to: original.bytes) { body.append($0) }
            withholdDigests()
        case .unreadable:
            // The words of an HTTP error need not be JSON.
            if 200..<300 ~= answer.status { editor.failure = .answerUnreadable }
        }
        tagCard()
    }

    /// Takes out of the answer's head what is not true of an edited body (RFC 9530, RFC 3230, RFC 2616 §14.15).
    private func withholdDigests() {
        let answer = answer
        for index in 0..<answer.fieldCount where answer.field(index).name == .other {
            let name = answer.name(index)
            if name.equalsIgnoringCase("content-digest") || name.equalsIgnoringCase("repr-digest") || name.equalsIgnoringCase("digest")
                || name.equalsIgnoringCase("content-md5")
            {
                answer.withhold(index)
            }
        }
    }
}
