/// The machinery below the reading functions: what every byte of a text passes through.
extension JSONReader {
    // MARK: bytes

    @_lifetime(self: copy self)
    @inline(__always) mutating func skipWhiteSpace() {
        while offset < bytes.byteCount {
            let byte = bytes.byte(offset)
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            offset &+= 1
        }
    }

    /// The next byte that is no white space; the reader then stands on it.
    @_lifetime(self: copy self)
    @inline(__always) mutating func nextByte() throws(JSONError) -> UInt8 {
        skipWhiteSpace()
        guard offset < bytes.byteCount else { throw .endOfInput }
        return bytes.byte(offset)
    }

    /// The first byte of the pending value, or 0 where none is pending: no reading function takes a 0.
    @_lifetime(self: copy self)
    @inline(__always) mutating func firstByte() throws(JSONError) -> UInt8 {
        guard place == .pending else { return 0 }
        return try nextByte()
    }

    // MARK: containers

    @_lifetime(self: copy self)
    @inline(__always) mutating func open(object: Bool) throws(JSONError) {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        depth &+= 1
        containers = containers << 1 | (object ? 1 : 0)
        offset &+= 1
        place = .afterOpening
    }

    @_lifetime(self: copy self)
    @inline(__always) mutating func close(object: Bool) throws(JSONError) {
        guard depth > 0, (containers & 1 == 1) == object else { throw .unexpectedByte }
        depth &-= 1
        containers >>= 1
        offset &+= 1
        place = .afterValue
    }

    // MARK: values

    /// Consumes the pending value, whatever it is; does nothing where none is pending.
    @_lifetime(self: copy self)
    public mutating func skip() throws(JSONError) {
        guard place == .pending else { return }
        let outer = depth
        while true {
            // A value begins here.
            switch try nextByte() {
            case UInt8(ascii: "\""): offset = try scanString(from: offset &+ 1).offset &+ 1
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): offset = try scanNumber(from: offset)
            case UInt8(ascii: "t"): try literal("true")
            case UInt8(ascii: "f"): try literal("false")
            case UInt8(ascii: "n"): try literal("null")
            case UInt8(ascii: "{"):
                try open(object: true)
                if try nextByte() != UInt8(ascii: "}") {
                    try skipName()
                    continue
                }
                try close(object: true)
            case UInt8(ascii: "["):
                try open(object: false)
                if try nextByte() != UInt8(ascii: "]") { continue }
                try close(object: false)
            default: throw .unexpectedByte
            }
            // A value has ended: what encloses it goes on or ends as well.
            ending: while depth > outer {
                switch try nextByte() {
                case UInt8(ascii: ","):
                    offset &+= 1
                    if containers & 1 == 1 { try skipName() }
                    break ending
                case UInt8(ascii: "}"): try close(object: true)
                case UInt8(ascii: "]"): try close(object: false)
                default: throw .unexpectedByte
                }
            }
            if depth == outer {
                place = .afterValue
                return
            }
        }
    }

    /// A member's name and its colon.
    @_lifetime(self: copy self)
    @inline(__always) private mutating func skipName() throws(JSONError) {
        guard try nextByte() == UInt8(ascii: "\"") else { throw .unexpectedByte }
        offset = try scanString(from: offset &+ 1).offset &+ 1
        guard try nextByte() == UInt8(ascii: ":") else { throw .unexpectedByte }
        offset &+= 1
    }

    @_lifetime(self: copy self)
    mutating func literal(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        for index in 0..<count {
            guard offset < bytes.byteCount else { throw .endOfInput }
            // Sound: `index` is inside the literal.
            guard unsafe bytes.byte(offset) == word.utf8Start[index] else { throw .unexpectedByte }
            offset &+= 1
        }
    }

    /// The closing quote of the string whose content begins at `start`.
    @_lifetime(self: copy self)
    @inline(__always) mutating func scanString(from start: Int) throws(JSONError) -> (offset: Int, hasEscapes: Bool) {
        var at = start
        var hasEscapes = false
        while true {
            at = bytes.firstSpecial(from: at)
            guard at < bytes.byteCount else { throw failing(.endOfInput, at: at) }
            switch bytes.byte(at) {
            case UInt8(ascii: "\""): return (at, hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                at = try scanEscape(at)
            default: throw failing(.controlCharacter, at: at)
            }
        }
    }

    /// Checks the escape at `at` (§7) and returns where the string goes on.
    @_lifetime(self: copy self)
    private mutating func scanEscape(_ at: Int) throws(JSONError) -> Int {
        guard at + 1 < bytes.byteCount else { throw failing(.endOfInput, at: at + 1) }
        switch bytes.byte(at + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            for digit in at + 2..<at + 6 {
                guard digit < bytes.byteCount else { throw failing(.endOfInput, at: digit) }
                switch bytes.byte(digit) {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): break
                default: throw failing(.badEscape, at: digit)
                }
            }
            return at + 6
        default: throw failing(.badEscape, at: at + 1)
        }
    }

    /// The end of the number that begins at `start` (§6).
    @_lifetime(self: copy self)
    mutating func scanNumber(from start: Int) throws(JSONError) -> Int {
        var at = start
        if bytes.byte(at) == UInt8(ascii: "-") { at &+= 1 }
        guard at < bytes.byteCount else { throw failing(.endOfInput, at: at) }
        if bytes.byte(at) == UInt8(ascii: "0") {
            at &+= 1
        } else {
            at = try scanDigits(from: at)
        }
        guard at < bytes.byteCount else { return at }
        if bytes.byte(at) == UInt8(ascii: ".") { at = try scanDigits(from: at &+ 1) }
        if at < bytes.byteCount, bytes.byte(at) | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < bytes.byteCount, bytes.byte(at) == UInt8(ascii: "+") || bytes.byte(at) == UInt8(ascii: "-") { at &+= 1 }
            at = try scanDigits(from: at)
        }
        // `01`, `1.2.3`, `1x`: what follows a number must be able to.
        if at < bytes.byteCount {
            switch bytes.byte(at) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                throw failing(.badNumber, at: at)
            default: break
            }
        }
        return at
    }

    /// One digit or more.
    @_lifetime(self: copy self)
    @inline(__always) private mutating func scanDigits(from start: Int) throws(JSONError) -> Int {
        var at = start
        while at < bytes.byteCount, bytes.byte(at) &- UInt8(ascii: "0") < 10 { at &+= 1 }
        guard at > start else { throw failing(at < bytes.byteCount ? .badNumber : .endOfInput, at: at) }
        return at
    }

    /// Puts the reader where the text is wrong.
    @_lifetime(self: copy self)
    @inline(never) private mutating func failing(_ error: JSONError, at: Int) -> JSONError {
        offset = min(at, bytes.byteCount)
        return error
    }
}

extension RawSpan {
    /// The first `"`, `\` or byte below 0x20 at or after `from`, or the end: eight bytes at a time.
    @inline(__always) func firstSpecial(from: Int) -> Int {
        var at = from
        let ones: UInt64 = 0x0101_0101_0101_0101
        while at &+ 8 <= byteCount {
            let word = word(at)
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // The high bit of each byte that is the one looked for; a borrow can set false ones only above a true one, and the
            // lowest is what is taken.
            let found = (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) & ~word
            let marks = found & (ones &* 0x80)
            if marks != 0 { return at &+ marks.trailingZeroBitCount >> 3 }
            at &+= 8
        }
        while at < byteCount {
            let byte = byte(at)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return at }
            at &+= 1
        }
        return at
    }
}
