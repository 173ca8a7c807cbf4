private import Glibc

/// The texts of a run's row: who, with which models, which tools. A list of (kind, length, UTF-8), each text of a kind once, in
/// the order they came up.
///
/// Bounded, because callers make these texts: one is cut at 255 bytes, and a run keeps 8 KiB of them and 64 bytes more for each hop, at
/// most 64 KiB. So what filters go by is all there of any run that is not made to be otherwise, and what an open run takes has
/// been paid for in hops.
public enum RunDetails {
    /// The number is part of the stored format.
    public enum Kind: UInt8, Sendable {
        /// The id the caller gave the run.
        case runID = 1
        /// What the caller calls the run.
        case runName = 2
        /// The span name of the hop that came first.
        case firstHop = 3
        /// The agent whose run it is.
        case agent = 4
        case workspace = 5
        case conversation = 6
        /// A model as the caller asked for it.
        case model = 7
        /// The model that answered, where it says another name.
        case responseModel = 8
        case provider = 9
        case tool = 10
        /// Any agent that had part in the run.
        case participant = 11
        case alias = 12
        /// What the caller calls its session; not what the provider calls the conversation.
        case session = 13

        /// Only the first of its kind is kept.
        var isSingle: Bool {
            switch self {
            case .runID, .runName, .firstHop, .agent, .workspace, .conversation, .session: true
            case .model, .responseModel, .provider, .tool, .participant, .alias: false
            }
        }
    }

    static let longestText = 255

    static func mostBytes(hops: Int64) -> Int { Int(min(64 << 10, 8 << 10 + 64 * min(hops, 1 << 10))) }

    /// Calls `body` with each text until it returns false.
    public static func forEach(in details: RawSpan, _ body: (Kind, RawSpan) -> Bool) {
        var offset = 0
        while offset + 2 <= details.byteCount {
            // Sound: two bytes are there.
            let kind = unsafe details.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            let length = unsafe Int(details.unsafeLoad(fromUncheckedByteOffset: offset + 1, as: UInt8.self))
            guard offset + 2 + length <= details.byteCount else { return }
            let text = details.extracting(offset + 2..<offset + 2 + length)
            offset += 2 + length
            if let kind = Kind(rawValue: kind), !body(kind, text) { return }
        }
    }

    /// Whether the run has one of `wanted` as a text of this kind.
    public static func contains(_ kind: Kind, _ wanted: [[UInt8]], in details: RawSpan) -> Bool {
        var found = false
        forEach(in: details) { candidate, text in
            guard candidate == kind else { return true }
            found = wanted.contains { text.equals($0) }
            return !found
        }
        return found
    }

    /// Adds a text unless it is empty, is there already, or the list is full.
    static func add(_ kind: Kind, _ text: RawSpan, to details: inout PackedBytes, atMost mostBytes: Int) {
        guard !text.isEmpty else { return }
        let cut = text.byteCount > longestText ? text.extracting(0..<prefixLength(of: text)) : text
        guard details.count + 2 + cut.byteCount <= mostBytes, !details.withBytes({ holds(kind, cut, in: $0) }) else { return }
        details.append(byte: kind.rawValue)
        details.append(byte: UInt8(cut.byteCount))
        details.append(cut)
    }

    private static func holds(_ kind: Kind, _ text: RawSpan, in list: RawSpan) -> Bool {
        var offset = 0
        while offset + 2 <= list.byteCount {
            // Sound: `add` wrote whole entries only.
            let candidate = unsafe list.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            let length = unsafe Int(list.unsafeLoad(fromUncheckedByteOffset: offset + 1, as: UInt8.self))
            if candidate == kind.rawValue {
                if kind.isSingle { return true }
                if length == text.byteCount, list.extracting(offset + 2..<offset + 2 + length).equals(text) { return true }
            }
            offset += 2 + length
        }
        return false
    }

    /// The longest prefix of whole characters within the bound.
    private static func prefixLength(of text: RawSpan) -> Int {
        var length = longestText
        while length > 0, text.byte(at: length) & 0xC0 == 0x80 { length -= 1 }
        return length
    }
}

extension RawSpan {
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // Sound: the offset was just checked.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    package func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        // Sound: both are read inside the closures, up to their equal length.
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                guard let mine = mine.baseAddress, let theirs = theirs.baseAddress else { return true }
                return unsafe memcmp(mine, theirs, byteCount) == 0
            }
        }
    }

    package func equals(_ other: [UInt8]) -> Bool { equals(other.raw) }
}
