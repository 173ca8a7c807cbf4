/// An answer's body on its way in: bounded, and its coding undone where it is one that can be.
final class AnswerBody {
    private let coding: ContentCoding?
    private var inflater: Inflater
    private let limit: Int
    private var count = 0

    init(_ head: MessageHead, limit: Int) {
        var encoding = ContentEncoding.identity
        for index in 0..<head.fieldCount where head.field(index).name == .contentEncoding { encoding.add(head.value(index)) }
        if case .coded(let coding) = encoding { self.coding = coding } else { coding = nil }
        self.limit = limit
        inflater = Inflater(limits: .init(bytes: limit))
        if let coding { inflater.reset(coding) }
    }

    /// - Returns: false once `each` has.
    func take(_ piece: RawSpan, _ each: (RawSpan) -> Bool) throws(HTTPClientError) -> Bool {
        guard coding != nil else {
            count += piece.byteCount
            guard count <= limit else { throw .answerTooLarge }
            return each(piece)
        }
        var goesOn = true
        do {
            try inflater.push(piece) { decoded in if goesOn { goesOn = each(decoded) } }
        } catch {
            throw error == .tooLarge ? .answerTooLarge : .malformedAnswer
        }
        return goesOn
    }

    func finish() throws(HTTPClientError) {
        guard coding != nil else { return }
        do { try inflater.finish() } catch { throw .malformedAnswer }
    }
}

extension [UInt8] {
    mutating func append(copying bytes: RawSpan) {
        // Sound: copied before the closure returns.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
