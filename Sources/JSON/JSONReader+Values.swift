/// Consuming the pending value.
extension JSONReader {
    /// The pending value's range in `bytes`, white space around it not included; consumes it.
    @_lifetime(self: copy self)
    public mutating func rawValue() throws(JSONError) -> Range<Int> {
        _ = try firstByte()
        let start = offset
        try skip()
        return start..<offset
    }

    /// The pending string; nil leaves another kind pending.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func string() throws(JSONError) -> JSONString? {
        guard try firstByte() == UInt8(ascii: "\"") else { return nil }
        var at = offset &+ 1
        let start = at
        defer { offset = at }
        let hasEscapes = try bytes.scanString(&at)
        let end = at
        at &+= 1
        place = .afterValue
        // Sound: as for a member's name.
        return JSONString(raw: unsafe bytes.extracting(unchecked: start..<end), start: start, hasEscapes: hasEscapes)
    }

    /// The pending boolean; nil leaves another kind pending.
    @_lifetime(self: copy self)
    public mutating func bool() throws(JSONError) -> Bool? {
        let value: Bool
        switch try firstByte() {
        case UInt8(ascii: "t"):
            try bytes.scanLiteral("true", &offset)
            value = true
        case UInt8(ascii: "f"):
            try bytes.scanLiteral("false", &offset)
            value = false
        default: return nil
        }
        place = .afterValue
        return value
    }

    /// Consumes the pending value if it is `null`; false leaves it pending.
    @_lifetime(self: copy self)
    public mutating func null() throws(JSONError) -> Bool {
        guard try firstByte() == UInt8(ascii: "n") else { return false }
        try bytes.scanLiteral("null", &offset)
        place = .afterValue
        return true
    }

    /// The pending number's text, which is exact where a double is not; nil leaves another kind pending.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func number() throws(JSONError) -> JSONNumber? {
        switch try firstByte() {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = offset
            try bytes.scanNumber(&offset)
            place = .afterValue
            // Sound: as for a member's name.
            return JSONNumber(text: unsafe bytes.extracting(unchecked: start..<offset), start: start)
        default: return nil
        }
    }

    /// The pending number if it is a whole one that fits (`12`, and `12.0` or `1.2e1` too). Nil otherwise: another kind is left
    /// pending, a number of another size is consumed.
    @_lifetime(self: copy self)
    public mutating func int64() throws(JSONError) -> Int64? {
        // Most numbers are a few digits and nothing else: read as they are scanned.
        let first = try firstByte() &- UInt8(ascii: "0")
        if first < 10 {
            var at = offset &+ 1
            var value = Int64(first)
            let limit = min(bytes.byteCount, offset &+ 18)  // 18 digits always fit
            while at < limit {
                let byte = bytes.byte(at)
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10, value != 0 else {  // nothing may follow a leading zero
                    if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") {
                        offset = at
                        place = .afterValue
                        return value
                    }
                    break
                }
                value = value &* 10 &+ Int64(digit)
                at &+= 1
            }
        }
        guard let number = try number() else { return nil }
        return number.int64
    }

    /// The pending number as the nearest double; nil leaves another kind pending.
    @_lifetime(self: copy self)
    public mutating func double() throws(JSONError) -> Double? {
        guard let number = try number() else { return nil }
        return number.double
    }

    // MARK: skipping

    /// Consumes the pending value, whatever it is; does nothing where none is pending.
    @_lifetime(self: copy self)
    public mutating func skip() throws(JSONError) {
        guard place == .pending else { return }
        var at = offset
        defer { offset = at }
        var (depth, containers) = (depth, containers)
        let outer = depth
        while true {
            // A value begins here.
            switch try bytes.nextByte(&at) {
            case UInt8(ascii: "\""):
                at &+= 1
                _ = try bytes.scanString(&at)
                at &+= 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): try bytes.scanNumber(&at)
            case UInt8(ascii: "t"): try bytes.scanLiteral("true", &at)
            case UInt8(ascii: "f"): try bytes.scanLiteral("false", &at)
            case UInt8(ascii: "n"): try bytes.scanLiteral("null", &at)
            case UInt8(ascii: "{"):
                at &+= 1
                if try bytes.nextByte(&at) == UInt8(ascii: "}") {
                    if depth >= Self.maximumDepth { throw .tooDeep }
                    at &+= 1
                } else {
                    depth &+= 1
                    if depth > Self.maximumDepth { throw .tooDeep }
                    containers = containers &<< 1 | 1
                    try bytes.skipName(&at)
                    continue
                }
            case UInt8(ascii: "["):
                at &+= 1
                if try bytes.nextByte(&at) == UInt8(ascii: "]") {
                    if depth >= Self.maximumDepth { throw .tooDeep }
                    at &+= 1
                } else {
                    depth &+= 1
                    if depth > Self.maximumDepth { throw .tooDeep }
                    containers = containers &<< 1
                    continue
                }
            default: throw .unexpectedByte
            }
            // A value has ended: what encloses it goes on, or ends as well.
            ending: while depth > outer {
                let byte = try bytes.nextByte(&at)
                if byte == UInt8(ascii: ",") {
                    at &+= 1
                    if containers & 1 == 1 { try bytes.skipName(&at) }
                    break ending
                }
                guard byte == (containers & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw .unexpectedByte }
                depth &-= 1
                containers = containers &>> 1
                at &+= 1
            }
            if depth == outer { break }
        }
        place = .afterValue
    }
}

extension RawSpan {
    /// A member's name and its colon.
    @inline(__always) fileprivate func skipName(_ at: inout Int) throws(JSONError) {
        guard try nextByte(&at) == UInt8(ascii: "\"") else { throw .unexpectedByte }
        at &+= 1
        _ = try scanString(&at)
        at &+= 1
        guard try nextByte(&at) == UInt8(ascii: ":") else { throw .unexpectedByte }
        at &+= 1
    }
}
