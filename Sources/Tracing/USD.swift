/// An exact amount of US dollars: a whole number of 1e-20 dollars, so that the longest price in the catalogue (eleven
/// decimals per million tokens) times any token count and a regional factor stays exact. Holds up to 1.7e18 dollars.
@frozen public struct USD: Sendable, Hashable, Comparable {
    /// In units of 1e-20 dollars.
    public var units: Int128

    public static let decimals = 20
    public static let zero = USD(units: 0)

    @inlinable public init(units: Int128) { self.units = units }

    @inlinable public static func < (left: USD, right: USD) -> Bool { left.units < right.units }
    @inlinable public static func + (left: USD, right: USD) -> USD { USD(units: left.units + right.units) }
    @inlinable public static func += (left: inout USD, right: USD) { left.units += right.units }
    @inlinable public static func - (left: USD, right: USD) -> USD { USD(units: left.units - right.units) }

    /// A plain decimal number: digits, at most one point, an optional leading minus. Nil when it is anything else, has
    /// more than 20 decimals that are not zero, or does not fit.
    public init?(_ text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    public init?(utf8 text: some Sequence<UInt8>) {
        var units: Int128 = 0
        var decimalsSeen = -1
        var digits = 0
        var negative = false
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where index == 0: negative = true
            case UInt8(ascii: ".") where decimalsSeen < 0: decimalsSeen = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if decimalsSeen >= Self.decimals {
                    guard byte == UInt8(ascii: "0") else { return nil }
                    continue
                }
                let (product, overflow) = units.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int128(byte - UInt8(ascii: "0")))
                guard !overflow, !carry else { return nil }
                units = sum
                if decimalsSeen >= 0 { decimalsSeen += 1 }
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        for _ in 0..<(Self.decimals - max(decimalsSeen, 0)) {
            let (product, overflow) = units.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            units = product
        }
        self.units = negative ? -units : units
    }

    /// The nearest double, or its neighbour; for attributes that are doubles by convention, never for sums.
    ///
    /// By halves, because the library converts 128-bit integers bit by bit (0.5 us each).
    public var double: Double {
        let magnitude = units.magnitude
        let value = Double(UInt64(truncatingIfNeeded: magnitude >> 64)) * 0x1p64 + Double(UInt64(truncatingIfNeeded: magnitude))
        return (units < 0 ? -value : value) / 1e20
    }
}

extension USD: CustomStringConvertible {
    /// Exact: no exponent, no trailing zeros, no trailing point. `0.0001625`, `12`, `0`.
    public var description: String {
        var text: [UInt8] = []
        write(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends `description`. Every priced span is written with one: most are less than 18 cents, which is 64 bits, and take no division
    /// of 128-bit numbers; the others take two and not one per digit.
    public func write(into text: inout [UInt8]) {
        if units < 0 { text.append(UInt8(ascii: "-")) }
        let magnitude = units.magnitude
        guard let units = UInt64(exactly: magnitude) else {
            let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: 100_000_000_000_000_000_000)
            text.append(contentsOf: String(UInt64(truncatingIfNeeded: whole)).utf8)  // 2^127 units are 1.7e18 dollars
            let (upper, lower) = fraction.quotientAndRemainder(dividingBy: 10_000_000_000)
            return Self.write(UInt64(truncatingIfNeeded: upper), UInt64(truncatingIfNeeded: lower), into: &text)
        }
        text.append(UInt8(ascii: "0"))
        Self.write(units / 10_000_000_000, units % 10_000_000_000, into: &text)
    }

    /// Appends point and decimals, ten from each half, without trailing zeros.
    private static func write(_ upper: UInt64, _ lower: UInt64, into text: inout [UInt8]) {
        guard upper | lower != 0 else { return }
        text.append(UInt8(ascii: "."))
        if lower != 0 { text.appendDecimal(Int(upper), digits: 10) }
        var rest = lower != 0 ? lower : upper
        var digits = 10
        while rest % 10 == 0 {
            rest /= 10
            digits -= 1
        }
        text.appendDecimal(Int(rest), digits: digits)
    }
}
