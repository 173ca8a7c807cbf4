/// A number as it stands in the text, grammar checked. Lives as long as the bytes it was read from.
@frozen public struct JSONNumber: ~Escapable {
    /// `-12.50e3`: exactly what was sent.
    public let text: RawSpan
    /// Where `text` stands in the bytes given to the reader.
    public let start: Int

    @_lifetime(copy text) init(text: RawSpan, start: Int) {
        self.text = text
        self.start = start
    }

    public var range: Range<Int> { start..<start + text.byteCount }

    /// The exact value if it is whole and fits (`12`, `12.0`, `1.2e1`), else nil.
    public var int64: Int64? {
        let isNegative = text.byte(0) == UInt8(ascii: "-")
        var at = isNegative ? 1 : 0
        var value: UInt64 = 0
        while at < text.byteCount {
            let digit = text.byte(at) &- UInt8(ascii: "0")
            guard digit < 10 else { return wholeFromDecimal() }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            at += 1
        }
        if isNegative { return value <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return value <= UInt64(Int64.max) ? Int64(value) : nil
    }

    /// The nearest double; infinite where the number is out of range.
    public var double: Double {
        if let decimal, decimal.digits < 1 << 53, abs(decimal.exponent) <= 22 {
            // Both factors are exact doubles, so one operation rounds once: the result is the nearest (Clinger, 1990).
            let digits = Double(decimal.digits)
            let value = decimal.exponent < 0 ? digits / Self.powersOfTen[-decimal.exponent] : digits * Self.powersOfTen[decimal.exponent]
            return decimal.isNegative ? -value : value
        }
        return unsafe text.withUnsafeBytes { unsafe Double(String(decoding: $0, as: UTF8.self)) } ?? .nan
    }

    /// The value as `digits` times ten to the `exponent`; nil with more digits than a word holds. Exponents beyond 100,000 are
    /// taken for that.
    public var decimal: (isNegative: Bool, digits: UInt64, exponent: Int)? {
        let isNegative = text.byte(0) == UInt8(ascii: "-")
        var at = isNegative ? 1 : 0
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        while at < text.byteCount {
            let byte = text.byte(at)
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte &- UInt8(ascii: "0") < 10 {
                let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
                guard !overflow, !carry else { return nil }
                digits = sum
                if isFraction { exponent -= 1 }
            } else {
                break
            }
            at += 1
        }
        if at < text.byteCount {  // standing on the `e`
            at += 1
            let isDown = text.byte(at) == UInt8(ascii: "-")
            if isDown || text.byte(at) == UInt8(ascii: "+") { at += 1 }
            var power = 0
            while at < text.byteCount {
                power = min(power * 10 + Int(text.byte(at) &- UInt8(ascii: "0")), 100_000)
                at += 1
            }
            exponent += isDown ? -power : power
        }
        return (isNegative, digits, exponent)
    }

    private func wholeFromDecimal() -> Int64? {
        guard let decimal else { return nil }
        var (digits, exponent) = (decimal.digits, decimal.exponent)
        while exponent < 0, digits != 0 {
            guard digits % 10 == 0 else { return nil }
            digits /= 10
            exponent += 1
        }
        while exponent > 0, digits != 0 {
            let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            digits = product
            exponent -= 1
        }
        if decimal.isNegative { return digits <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- digits) : nil }
        return Int64(exactly: digits)
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
