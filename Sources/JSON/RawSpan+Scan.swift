// SSE2 is part of every x86-64; the intrinsics are the toolchain's own. Swift's SIMD comparisons are compiled a lane at a time.
#if arch(x86_64)
private import _Builtin_intrinsics.intel.sse2
#endif

/// What every byte of a text passes through. Each function begins at `at` and leaves it behind what it has read, or, where it
/// throws, at the byte that is wrong. The callers keep `at` in a register, and it goes back to the reader once: so what is not inlined
/// is given a copy of it, whose address may be taken.
extension RawSpan {
    @inline(__always) func skipWhiteSpace(_ at: inout Int) {
        while at < byteCount {
            let byte = byte(at)
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            at &+= 1
        }
    }

    /// The next byte that is no white space; `at` then stands on it.
    @inline(__always) func nextByte(_ at: inout Int) throws(JSONError) -> UInt8 {
        guard at < byteCount else { throw .endOfInput }
        let byte = byte(at)
        if byte > 0x20 { return byte }
        var copy = at
        defer { at = copy }
        return try byteAfterWhiteSpace(&copy)
    }

    @inline(never) private func byteAfterWhiteSpace(_ at: inout Int) throws(JSONError) -> UInt8 {
        skipWhiteSpace(&at)
        guard at < byteCount else { throw .endOfInput }
        return byte(at)
    }

    /// From the first byte of a string's content to its closing quote. True when there are escapes in it.
    @inline(__always) func scanString(_ at: inout Int) throws(JSONError) -> Bool {
        at = firstSpecial(from: at)
        if at < byteCount, byte(at) == UInt8(ascii: "\"") { return false }
        var copy = at
        defer { at = copy }
        return try scanEscapes(&copy)
    }

    /// The rest of a string in which something other than its end was met.
    @inline(never) private func scanEscapes(_ at: inout Int) throws(JSONError) -> Bool {
        var hasEscapes = false
        while at < byteCount {
            switch byte(at) {
            case UInt8(ascii: "\""): return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try scanEscape(&at)
            default: throw .controlCharacter
            }
            at = firstSpecial(from: at)
        }
        throw .endOfInput
    }

    /// One escape (§7), from its backslash on.
    @inline(__always) private func scanEscape(_ at: inout Int) throws(JSONError) {
        at &+= 1
        guard at < byteCount else { throw .endOfInput }
        switch byte(at) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at &+= 1
        case UInt8(ascii: "u"):
            at &+= 1
            for _ in 0..<4 {
                guard at < byteCount else { throw .endOfInput }
                guard byte(at).isHexDigit else { throw .badEscape }
                at &+= 1
            }
        default: throw .badEscape
        }
    }

    /// A number (§6), from its first byte on.
    @inline(__always) func scanNumber(_ at: inout Int) throws(JSONError) {
        var copy = at
        defer { at = copy }
        try scanWholeNumber(&copy)
    }

    @inline(never) private func scanWholeNumber(_ at: inout Int) throws(JSONError) {
        if byte(at) == UInt8(ascii: "-") { at &+= 1 }
        guard at < byteCount else { throw .endOfInput }
        if byte(at) == UInt8(ascii: "0") { at &+= 1 } else { try scanDigits(&at) }
        guard at < byteCount else { return }
        if byte(at) == UInt8(ascii: ".") {
            at &+= 1
            try scanDigits(&at)
        }
        if at < byteCount, byte(at) | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < byteCount, byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at &+= 1 }
            try scanDigits(&at)
        }
        // `01`, `1.2.3`: what follows must not be of a number.
        guard at < byteCount, byte(at).isOfANumber else { return }
        throw .badNumber
    }

    /// One digit or more.
    @inline(__always) private func scanDigits(_ at: inout Int) throws(JSONError) {
        let start = at
        while at < byteCount, byte(at) &- UInt8(ascii: "0") < 10 { at &+= 1 }
        guard at > start else { throw at < byteCount ? .badNumber : .endOfInput }
    }

    /// `true`, `false` or `null`.
    @inline(__always) func scanLiteral(_ word: StaticString, _ at: inout Int) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard at < byteCount else { throw .endOfInput }
            // Sound: `index` is inside the literal.
            guard unsafe byte(at) == word.utf8Start[index] else { throw .unexpectedByte }
            at &+= 1
        }
    }

    /// The first `"`, `\` or byte below 0x20 at or after `from`, or the end. Names and most values end in its first step.
    @inline(__always) func firstSpecial(from: Int) -> Int {
        #if arch(x86_64)
        if from &+ 16 <= byteCount {
            let marks = specials(from)
            return marks != 0 ? from &+ marks.trailingZeroBitCount : firstSpecialFurtherOn(from &+ 16)
        }
        #endif
        return firstSpecialByWords(from)
    }

    #if arch(x86_64)
    /// A bit for each special byte of the sixteen at `at`, which are there.
    @inline(__always) private func specials(_ at: Int) -> Int32 {
        let bytes = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD2<Int64>.self)
        let ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5C)))
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes)
        return _mm_movemask_epi8(_mm_or_si128(ends, controls))
    }

    /// The same, thirty-two bytes a step.
    @inline(never) private func firstSpecialFurtherOn(_ from: Int) -> Int {
        var at = from
        while at &+ 32 <= byteCount {
            let marks = specials(at) | specials(at &+ 16) &<< 16
            if marks != 0 { return at &+ marks.trailingZeroBitCount }
            at &+= 32
        }
        if at &+ 16 <= byteCount {
            let marks = specials(at)
            if marks != 0 { return at &+ marks.trailingZeroBitCount }
            at &+= 16
        }
        return firstSpecialByWords(at)
    }
    #endif

    /// The same, eight bytes at a time and then one.
    @inline(never) private func firstSpecialByWords(_ from: Int) -> Int {
        var at = from
        let ones: UInt64 = 0x0101_0101_0101_0101
        while at &+ 8 <= byteCount {
            let word = word(at)
            // With its second bit turned, a quote is 0x20 and a control character stays one: both are below 0x21, where a blank is
            // not. The high bit of each byte tells; a borrow can set false ones only above a true one, and the lowest is taken.
            let quotesAndControls = (word ^ ones &* 0x02) &- ones &* 0x21
            let slashes = (word ^ ones &* 0x5C) &- ones
            let marks = (quotesAndControls | slashes) & ~word & (ones &* 0x80)
            if marks != 0 { return at &+ marks.trailingZeroBitCount &>> 3 }
            at &+= 8
        }
        while at < byteCount {
            let byte = byte(at)
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { return at }
            at &+= 1
        }
        return at
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { self &- UInt8(ascii: "0") < 10 || (self | 0x20) &- UInt8(ascii: "a") < 6 }

    /// A digit, a point, a sign or an exponent's mark.
    @inline(__always) fileprivate var isOfANumber: Bool {
        self &- UInt8(ascii: "0") < 10 || self == UInt8(ascii: ".") || self | 0x20 == UInt8(ascii: "e") || self == UInt8(ascii: "+") || self == UInt8(ascii: "-")
    }
}
