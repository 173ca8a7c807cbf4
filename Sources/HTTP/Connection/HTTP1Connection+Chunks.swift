// Chunks that are passed on as they came, framing included.
extension HTTP1Connection {
    /// What a read that does not wait came to.
    public enum Reading: Sendable { case some, nothing, ended }

    /// Reads into `input` what has come and is not read yet. Where the stream has ended or broken, the next read says so again.
    public func readNow() -> Reading {
        do {
            guard let count = try fillNow() else { return .nothing }
            return count > 0 ? .some : .ended
        } catch { return .ended }
    }

    /// The chunk that begins `at` bytes into `input`, between chunks, where it is there to its end and has no extensions
    /// (RFC 9112 §7.1): where its data stands, and its end. Nil for the last chunk and for all that only the decoder can judge.
    public func chunk(at start: Int) -> (data: Range<Int>, end: Int)? {
        let input = input
        let bytes = input.bytes
        let count = bytes.byteCount
        var at = start
        var size = 0
        // Seven digits are more than the buffer ever holds.
        while at < count, at - start < 7 {
            let byte = bytes.at(at)
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: digit = 16
            }
            if digit == 16 { break }
            size = size << 4 | Int(digit)
            at += 1
        }
        let data = at + 2
        let end = data + size + 2
        guard size > 0, end <= count, bytes.at(at) == 0x0D, bytes.at(at + 1) == 0x0A, bytes.at(end - 2) == 0x0D, bytes.at(end - 1) == 0x0A else { return nil }
        return (data..<end - 2, end)
    }
}
