/// A coding's name as far as this program tells them apart; names are case-insensitive (RFC 9110 §8.4.1).
enum CodingName {
    case gzip, deflate, identity
    /// `*`
    case any
    case other
}

/// Reads the comma-separated list of `Content-Encoding` and `Accept-Encoding` (RFC 9110 §5.6.1, §12.4.2).
enum CodingList {
    /// Calls `body` for each element with its name and its weight in thousandths: 1000 where none is given, nil where what follows
    /// the name is no weight. Empty elements are skipped, as a recipient must.
    static func forEach(in value: RawSpan, _ body: (CodingName, Int?) -> Void) {
        var offset = 0
        while let element = value.nextListElement(&offset) {
            guard element.byteCount > 0 else { continue }
            let nameEnd = element.firstIndex(of: UInt8(ascii: ";")) ?? element.byteCount
            body(name(element.extracting(0..<nameEnd).trimmingOWS()), weight(element.extracting(nameEnd..<element.byteCount)))
        }
    }

    private static func name(_ text: RawSpan) -> CodingName {
        if text.equalsIgnoringCase("gzip") || text.equalsIgnoringCase("x-gzip") { return .gzip }
        if text.equalsIgnoringCase("deflate") { return .deflate }
        if text.equalsIgnoringCase("identity") { return .identity }
        if text.equalsIgnoringCase("*") { return .any }
        return .other
    }

    /// `text` is empty or begins with the semicolon. `weight = OWS ";" OWS "q=" qvalue`, at most three decimals, at most 1.
    private static func weight(_ text: RawSpan) -> Int? {
        guard text.byteCount > 0 else { return 1000 }
        let parameter = text.extracting(1..<text.byteCount).trimmingOWS()
        let count = parameter.byteCount
        guard count >= 3, count <= 7, parameter.extracting(0..<2).equalsIgnoringCase("q=") else { return nil }
        guard let whole = parameter.digit(at: 2), whole <= 1 else { return nil }
        guard count > 3 else { return whole * 1000 }
        guard parameter[byte: 3] == UInt8(ascii: ".") else { return nil }
        var thousandths = whole * 1000
        var unit = 100
        for index in 4..<count {
            guard let digit = parameter.digit(at: index) else { return nil }
            thousandths += digit * unit
            unit /= 10
        }
        return thousandths <= 1000 ? thousandths : nil
    }
}

extension RawSpan {
    fileprivate func digit(at offset: Int) -> Int? {
        let byte = self[byte: offset]
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
    }
}
