import JSON
import Tracing

extension JSONReader {
    /// Overwrites `counter` where the pending value is a count; `null`, and what is no count, leaves it.
    @_lifetime(self: copy self)
    mutating func counter(_ counter: inout Int64) throws(JSONError) {
        if let value = try int64(), value >= 0, value <= Int64.countLimit { counter = value }
    }
}

extension Int64 {
    /// No call has more; keeps sums and products of counts far from overflow whatever an upstream sends.
    static let countLimit: Int64 = 1 << 48

    /// Takes up to `part` away from what is left and returns what it took; a negative part is nothing.
    mutating func carve(_ part: Int64) -> Int64 {
        let taken = Swift.min(Swift.max(part, 0), self)
        self -= taken
        return taken
    }
}

extension USD {
    /// Dollars as a JSON number, exponent and all (`1.4e-05`): exact up to 20 decimals, cut off behind them. Nil where it is
    /// negative or beyond reason.
    init?(_ number: borrowing JSONNumber) {
        guard let decimal = number.decimal, !decimal.isNegative || decimal.digits == 0 else { return nil }
        var units = Int128(decimal.digits)
        var exponent = decimal.exponent + USD.decimals
        while exponent > 0, units != 0 {
            guard units < Int128.max / 10 else { return nil }
            units *= 10
            exponent -= 1
        }
        while exponent < 0, units != 0 {
            units /= 10
            exponent += 1
        }
        guard units <= USD.answerLimit.units else { return nil }
        self.init(units: units)
    }

    /// A billion dollars for one call is a mistake.
    private static let answerLimit = USD(units: 1_000_000_000 * 100_000_000_000_000_000_000)
}
