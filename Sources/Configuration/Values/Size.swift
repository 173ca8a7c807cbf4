/// Sizes: a whole number of bytes, or with a binary unit.
enum Size {
    private static let units: [(name: String, shift: Int)] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]

    /// Bytes; nil when the text is no size, or does not fit.
    static func bytes(_ text: String) -> Int? {
        let unit = units.first { text.hasSuffix($0.name) }
        let digits = text.dropLast(unit?.name.count ?? 0)
        guard let number = Int(decimalDigits: digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
        return overflow ? nil : bytes
    }

    static func text(_ bytes: Int) -> String {
        guard bytes > 0, let unit = units.first(where: { bytes & ((1 << $0.shift) - 1) == 0 }) else { return String(bytes) }
        return "\(bytes >> unit.shift)\(unit.name)"
    }
}

extension Form where Value == Int {
    /// - Parameter smallest: in bytes.
    static func size(atLeast smallest: Int) -> Form {
        .scalar(
            "a size", expected: "bytes, or a number with KiB, MiB, GiB or TiB, such as 32MiB",
            parse: { (text) throws(Wrong) in
                guard let bytes = Size.bytes(text) else {
                    // 1 MB is 1,000,000 bytes to some and 1,048,576 to others.
                    let likely = text.filter { $0 != " " && $0 != "i" }.uppercased()
                    let binary = likely.hasSuffix("B") ? likely.dropLast(1) + "iB" : likely + "iB"
                    throw Wrong(expected: Size.bytes(String(binary)) != nil ? "did you mean \(binary)?" : nil)
                }
                guard bytes >= smallest else { throw Wrong(problem: "\(quoted(text)) is too small", expected: "at least \(Size.text(smallest))") }
                return bytes
            }, write: { .text(Size.text($0)) })
    }
}

extension Int {
    /// Digits and nothing else: no sign, no spaces.
    init?(decimalDigits text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}
