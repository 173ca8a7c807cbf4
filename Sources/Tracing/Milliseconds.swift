/// A length of time as the query API shows it: fractional milliseconds, exact, `1234.56789`, `0.000001`, `12`.
@frozen public struct Milliseconds: Sendable, Hashable, CustomStringConvertible {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public var description: String {
        var text: [UInt8] = []
        write(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends `description`: a JSON number without exponent or trailing zeros.
    public func write(into text: inout [UInt8]) {
        if nanoseconds < 0 { text.append(UInt8(ascii: "-")) }
        let magnitude = nanoseconds.magnitude
        text.append(contentsOf: String(magnitude / 1_000_000).utf8)
        let fraction = Int(magnitude % 1_000_000)
        guard fraction > 0 else { return }
        text.append(UInt8(ascii: "."))
        text.appendDecimal(fraction, digits: 6)
        while text.last == UInt8(ascii: "0") { text.removeLast() }
    }
}
