/// Masks what should not be kept of a text: secrets, e-mail addresses, credit-card and phone numbers.
///
/// It knows things by their shape only, so it errs: a password in a sentence passes, a made-up number that looks like a card
/// does not. What is found becomes `[secret]`, `[email]`, `[card]` or `[phone]`; the text around it stays. One pass, over UTF-8.
public struct Redaction {
    private let text: [UInt8]
    private var result: [UInt8] = []
    private var at = 0
    /// The run of key bytes that was looked through last: `start..<end`, and where in it the last digit stands (-1: nowhere). A text may be
    /// nothing but beginnings of keys: whoever stands within the run does not look through it again.
    private var keyRun = (start: 0, end: -1, lastDigit: -1)
    /// Where the token ends whose first part ends at `first`; nil where there is none. Whatever begins within that part shares it.
    private var token: (first: Int, end: Int?) = (-1, nil)

    public static func apply(to text: [UInt8]) -> [UInt8] {
        var redaction = Redaction(text)
        return redaction.run()
    }

    private init(_ text: [UInt8]) {
        self.text = text
        result.reserveCapacity(text.count)
    }

    private mutating func run() -> [UInt8] {
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "@") {
                if maskEmail() { continue }
            } else if at == 0 || !Self.isWord(text[at - 1]) {
                // Where a word or a number may begin.
                if maskSecret() || maskCard() || maskPhone() { continue }
            }
            result.append(byte)
            at += 1
        }
        return result
    }

    private mutating func mask(_ length: Int, as mark: StaticString) -> Bool {
        // Sound: a static string's bytes live for ever.
        unsafe result.append(contentsOf: UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount))
        at += length
        return true
    }

    // MARK: bytes

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
    private static func isWord(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: "_") }
    private static func isKey(_ byte: UInt8) -> Bool { isWord(byte) || byte == UInt8(ascii: "-") }
    /// RFC 6750 §2.1, b64token.
    private static func isToken(_ byte: UInt8) -> Bool { isKey(byte) || ".~+/=".utf8.contains(byte) }

    private func byte(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }

    private func begins(_ prefix: StaticString, at start: Int) -> Bool {
        guard start + prefix.utf8CodeUnitCount <= text.count else { return false }
        // Sound: as in `mask`.
        for index in 0..<prefix.utf8CodeUnitCount where unsafe text[start + index] != prefix.utf8Start[index] { return false }
        return true
    }

    /// How many bytes from `start` on satisfy `belongs`.
    private func run(from start: Int, _ belongs: (UInt8) -> Bool) -> Int {
        var end = start
        while end < text.count, belongs(text[end]) { end += 1 }
        return end - start
    }

    // MARK: secrets

    /// How keys of well-known services begin, and how long what follows is at least.
    private static let prefixes: [(prefix: StaticString, length: Int)] = [
        ("sk-", 16), ("sk_live_", 10), ("sk_test_", 10), ("rk_live_", 10), ("rk_test_", 10), ("gsk_", 20), ("xai-", 20), ("pplx-", 20),
        ("AKIA", 16), ("ASIA", 16), ("AIza", 30), ("ya29.", 20), ("ghp_", 20), ("gho_", 20), ("ghu_", 20), ("ghs_", 20), ("ghr_", 20),
        ("github_pat_", 20), ("glpat-", 16), ("xoxa-", 10), ("xoxb-", 10), ("xoxp-", 10), ("xoxr-", 10), ("xoxs-", 10), ("xapp-", 10),
        ("hf_", 20), ("npm_", 20),
    ]

    private mutating func maskSecret() -> Bool {
        switch text[at] {
        case UInt8(ascii: "-"): return maskPrivateKey()
        case UInt8(ascii: "B"), UInt8(ascii: "b"): return maskBearer()
        case UInt8(ascii: "e"): return maskJWT()
        default: break
        }
        for (prefix, length) in Self.prefixes where begins(prefix, at: at) {
            let start = at + prefix.utf8CodeUnitCount
            let end = endOfKey(from: start)
            // Keys have digits; words joined by hyphens have none.
            if end - start >= length, keyRun.lastDigit >= start { return mask(end - at, as: "[secret]") }
        }
        return false
    }

    /// Where the key bytes from `start` on end; `keyRun` is then their run.
    private mutating func endOfKey(from start: Int) -> Int {
        if start >= keyRun.start, start <= keyRun.end { return keyRun.end }
        keyRun = (start, start, -1)
        while keyRun.end < text.count, Self.isKey(text[keyRun.end]) {
            if Self.isDigit(text[keyRun.end]) { keyRun.lastDigit = keyRun.end }
            keyRun.end += 1
        }
        return keyRun.end
    }

    /// PEM (RFC 7468): from the first line to the last, or to the end of the text where that was cut.
    private mutating func maskPrivateKey() -> Bool {
        guard begins("-----BEGIN ", at: at) else { return false }
        let label = run(from: at + 11) { $0 != UInt8(ascii: "-") && $0 != 0x0A }
        guard label >= 11, begins("PRIVATE KEY-----", at: at + 11 + label - 11) else { return false }
        var end = at + 11 + label + 5
        while end < text.count, !begins("-----END ", at: end) { end += 1 }
        if end < text.count {
            end += 9
            end += run(from: end) { $0 != UInt8(ascii: "-") }
            end += run(from: end) { $0 == UInt8(ascii: "-") }
        }
        return mask(end - at, as: "[secret]")
    }

    private mutating func maskBearer() -> Bool {
        guard begins("earer ", at: at + 1) else { return false }
        let start = at + 7
        let count = run(from: start, Self.isToken)
        guard count >= 16 else { return false }
        result.append(contentsOf: text[at..<start])
        at = start
        return mask(count, as: "[secret]")
    }

    /// A signed token, `header.payload.signature` (RFC 7519): the header begins `{"`, which is `eyJ`.
    private mutating func maskJWT() -> Bool {
        guard begins("eyJ", at: at) else { return false }
        let header = endOfKey(from: at)
        guard header - at >= 8, let end = endOfToken(behind: header) else { return false }
        return mask(end - at, as: "[secret]")
    }

    /// - Parameter header: where a token's first part ends.
    private mutating func endOfToken(behind header: Int) -> Int? {
        if token.first == header { return token.end }
        token = (header, nil)
        guard byte(header) == UInt8(ascii: ".") else { return nil }
        let payload = header + 1 + run(from: header + 1, Self.isKey)
        guard payload - header > 8, byte(payload) == UInt8(ascii: ".") else { return nil }
        let signature = run(from: payload + 1, Self.isKey)
        if signature > 0 { token.end = payload + 1 + signature }
        return token.end
    }

    // MARK: addresses and numbers

    /// Standing on an `@`: what came before it is in `result` already.
    private mutating func maskEmail() -> Bool {
        let local = result.reversed().prefix(64).prefix { Self.isWord($0) || ".%+-".utf8.contains($0) }.count
        var end = at + 1
        var labels = 0
        var last = 0
        while true {
            let count = run(from: end) { Self.isDigit($0) || Self.isLetter($0) || $0 == UInt8(ascii: "-") }
            guard count > 0 else { break }
            labels += 1
            last = count
            end += count
            guard byte(end) == UInt8(ascii: "."), Self.isDigit(byte(end + 1)) || Self.isLetter(byte(end + 1)) else { break }
            end += 1
        }
        guard local > 0, labels >= 2, last >= 2 else { return false }
        result.removeLast(local)
        return mask(end - at, as: "[email]")
    }

    /// 13 to 19 digits with single blanks or hyphens between them, whose check digit is right (ISO/IEC 7812-1, annex B).
    private mutating func maskCard() -> Bool {
        guard text[at] >= UInt8(ascii: "2"), text[at] <= UInt8(ascii: "6") else { return false }
        var digits: [UInt8] = []
        var end = at
        var index = at
        while digits.count < 20 {
            if Self.isDigit(byte(index)) {
                digits.append(byte(index) - UInt8(ascii: "0"))
                index += 1
                end = index
            } else if (byte(index) == UInt8(ascii: " ") || byte(index) == UInt8(ascii: "-")) && Self.isDigit(byte(index + 1)) {
                index += 1
            } else {
                break
            }
        }
        guard digits.count >= 13, digits.count <= 19, !Self.isWord(byte(end)) else { return false }
        var sum = 0
        for (position, digit) in digits.reversed().enumerated() {
            let weighted = position % 2 == 1 ? Int(digit) * 2 : Int(digit)
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum % 10 == 0 && mask(end - at, as: "[card]")
    }

    /// `+` and 8 to 15 digits (ITU-T E.164) in any grouping, or three groups of 3, 3 and 4 as in North America.
    private mutating func maskPhone() -> Bool {
        let previous = at > 0 ? text[at - 1] : 0
        guard previous != UInt8(ascii: "."), previous != UInt8(ascii: "-"), previous != UInt8(ascii: "+") else { return false }
        var index = at
        var digits = 0
        var end = at
        if text[at] == UInt8(ascii: "+") {
            index += 1
            guard Self.isDigit(byte(index)) else { return false }
            while digits < 16 {
                if Self.isDigit(byte(index)) {
                    digits += 1
                    end = index + 1
                } else if !" -.()/".utf8.contains(byte(index)) || index - end >= 3 {
                    break
                }
                index += 1
            }
            return digits >= 8 && digits <= 15 && !Self.isWord(byte(end)) && mask(end - at, as: "[phone]")
        }
        let isOpen = text[at] == UInt8(ascii: "(")
        if isOpen { index += 1 }
        for (group, length) in [3, 3, 4].enumerated() {
            guard run(from: index, Self.isDigit) == length else { return false }
            index += length
            if group == 0, isOpen {
                guard byte(index) == UInt8(ascii: ")") else { return false }
                index += 1
                if byte(index) == UInt8(ascii: " ") { index += 1 }
            } else if group < 2 {
                guard "-. ".utf8.contains(byte(index)) else { return false }
                index += 1
            }
        }
        return !Self.isWord(byte(index)) && byte(index) != UInt8(ascii: "-") && mask(index - at, as: "[phone]")
    }
}
