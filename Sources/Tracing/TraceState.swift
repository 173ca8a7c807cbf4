/// The `tracestate` that came with a request, checked and joined: the text to send on.
///
/// Filled with each header value in the order they came. One member that the grammar does not allow, or a 33rd, discards all of
/// it (W3C Trace Context Level 2 §3.3.1, and what its test suite asks for); a bad tracestate never spoils a good traceparent.
/// Members are passed on byte for byte and in their order, without the white space between them and without empty members. A key
/// that a caller wrote twice is passed on twice: uniqueness is the writer's duty, and we write none of our own.
public struct TraceState: Sendable {
    /// Level 2 §3.3.1.1.
    public static let memberLimit = 32
    /// What every participant has to pass on when it gets that much (Level 2 §3.3.1.5).
    public static let guaranteedLength = 512

    private var bytes: [UInt8] = []
    private var members = 0
    private var isDiscarded = false
    /// Something has been cut off the right end; what comes later stands further right and goes too.
    private var isFull = false
    private let lengthLimit: Int

    /// - Parameter lengthLimit: the longest text sent on. Not below 512; what other software takes of a header field in all,
    ///   8 KiB, unless said otherwise.
    public init(lengthLimit: Int = 8192) {
        precondition(lengthLimit >= Self.guaranteedLength)
        self.lengthLimit = lengthLimit
    }

    /// Ready for the next request; the storage stays.
    public mutating func reset() {
        if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
        members = 0
        isDiscarded = false
        isFull = false
    }

    /// Nothing came, or nothing that could be kept: no header is to be sent.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The one value to send on, empty when there is none.
    public var text: RawSpan {
        @_lifetime(borrow self) get { unsafe bytes.span.bytes }  // sound: a UInt8 has no padding
    }

    /// Takes one header's value.
    public mutating func append(_ value: RawSpan) {
        var start = 0
        while start < value.byteCount, !isDiscarded {
            let end = value.firstOffset(of: UInt8(ascii: ","), from: start)
            let member = value.extracting(start..<end).trimmingOptionalWhitespace()
            start = end + 1
            if member.byteCount == 0 { continue }
            members += 1
            if members <= Self.memberLimit, Self.isMember(member) {
                add(member)
            } else {
                isDiscarded = true
                bytes.removeAll(keepingCapacity: true)
            }
        }
    }

    /// `key = ( lcalpha / DIGIT ) 0*255 keychar`, `value = 0*255(chr) nblk-chr` (Level 2 §3.3.1.3). The trimmed member cannot
    /// end in a space, so only the value's characters and lengths are left to check.
    private static func isMember(_ member: RawSpan) -> Bool {
        let equals = member.firstOffset(of: UInt8(ascii: "="))
        let valueLength = member.byteCount - equals - 1
        guard 1...256 ~= equals, 1...256 ~= valueLength else { return false }
        for offset in 0..<equals {
            switch member.byte(at: offset) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "@"):
                if offset == 0 { return false }
            default: return false
            }
        }
        for offset in (equals + 1)..<member.byteCount {
            let character = member.byte(at: offset)
            guard 0x20...0x7E ~= character, character != UInt8(ascii: "=") else { return false }
        }
        return true
    }

    /// "Entries larger than 128 characters long SHOULD be removed first. Then entries SHOULD be removed starting from the end of
    /// tracestate" (Level 2 §3.3.1.5); always whole entries.
    private mutating func add(_ member: RawSpan) {
        guard !isFull else { return }
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(member)
        while bytes.count > lengthLimit {
            let last = lastMember { _ in true }
            let removed = lastMember { $0.count > 128 } ?? last
            guard let removed else { return }
            if removed == last, removed.count <= 128 { isFull = true }
            remove(removed)
        }
    }

    /// The right-most member that fits the description.
    private func lastMember(where fits: (Range<Int>) -> Bool) -> Range<Int>? {
        var end = bytes.count
        while end > 0 {
            let start = bytes[..<end].lastIndex(of: UInt8(ascii: ",")).map { $0 + 1 } ?? 0
            if fits(start..<end) { return start..<end }
            end = start - 1
        }
        return nil
    }

    private mutating func remove(_ member: Range<Int>) {
        // With the comma before it, or with the one after it where it is the first.
        if member.lowerBound > 0 {
            bytes.removeSubrange((member.lowerBound - 1)..<member.upperBound)
        } else {
            bytes.removeSubrange(0..<min(member.upperBound + 1, bytes.count))
        }
    }
}
