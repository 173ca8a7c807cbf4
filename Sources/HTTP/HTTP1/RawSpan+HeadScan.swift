// SSE2 is part of every x86-64; the intrinsics are the toolchain's own. Swift's SIMD comparisons are compiled a lane at a time.
#if arch(x86_64)
private import _Builtin_intrinsics.intel.sse2
#endif

/// Where the parts of a head's lines end, sixteen bytes at a time. Each returns the first offset at or after `from`, which must not be
/// negative, or the count of all bytes where nothing ends it.
extension RawSpan {
    /// Without a check: the caller has compared the offset with `byteCount`.
    @inline(__always) func at(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// What is no letter, digit or hyphen: the end of nearly every field name. Others have more token characters (RFC 9110 §5.6.2).
    @inline(__always) func endOfPlainName(from: Int) -> Int {
        var at = from
        #if arch(x86_64)
        while at &+ 16 <= byteCount {
            let bytes = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD2<Int64>.self)  // checked on the line above
            // A byte less its range's first, as one without a sign, is not above the range's length.
            let letters = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8(0x61))
            let digits = _mm_sub_epi8(bytes, _mm_set1_epi8(0x30))
            let plain = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letters, _mm_set1_epi8(25)), letters), _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)),
                _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x2D)))
            let marks = _mm_movemask_epi8(plain) ^ 0xFFFF
            if marks != 0 { return at &+ marks.trailingZeroBitCount }
            at &+= 16
        }
        #endif
        while at < byteCount, Characters.isPlain(self.at(at)) { at &+= 1 }
        return at
    }

    /// A control character that no field value may hold (RFC 9110 §5.5), CR and LF among them.
    @inline(__always) func endOfValue(from: Int) -> Int {
        var at = from
        #if arch(x86_64)
        while at &+ 16 <= byteCount {
            let bytes = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD2<Int64>.self)  // checked on the line above
            let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes)
            let deletes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F))
            let tabs = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x09))
            let marks = _mm_movemask_epi8(_mm_andnot_si128(tabs, _mm_or_si128(controls, deletes)))
            if marks != 0 { return at &+ marks.trailingZeroBitCount }
            at &+= 16
        }
        #endif
        while at < byteCount, Characters.isValue(self.at(at)) { at &+= 1 }
        return at
    }

    /// What is no visible ASCII, or begins a fragment.
    @inline(__always) func endOfTarget(from: Int) -> Int {
        var at = from
        #if arch(x86_64)
        while at &+ 16 <= byteCount {
            let bytes = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD2<Int64>.self)  // checked on the line above
            // As signed bytes those above 0x7F are below all others.
            let visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20))
            let others = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x23)))
            let marks = _mm_movemask_epi8(_mm_andnot_si128(others, visible)) ^ 0xFFFF
            if marks != 0 { return at &+ marks.trailingZeroBitCount }
            at &+= 16
        }
        #endif
        while at < byteCount, Characters.isTarget(self.at(at)) { at &+= 1 }
        return at
    }
}
