/// How many columns text takes on a terminal.
public enum TextWidth {
    /// The columns of a text without line breaks.
    public static func columns(_ text: String) -> Int {
        var utf8 = text.utf8.makeIterator()
        var count = 0
        while let byte = utf8.next() {
            guard byte < 0x80 else { return text.reduce(0) { $0 + columns($1) } }
            count += 1
        }
        return count
    }

    /// 2 for East Asian wide characters and for pictures, 0 for what only changes its neighbour, else 1.
    public static func columns(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.value < 0x300 { return 1 }
        // A letter that a variation selector turns into a picture.
        if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        if isWide(first) || first.properties.isEmojiPresentation { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }

    /// The classes W and F of Unicode 17's EastAsianWidth.txt, in whole blocks.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97F,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18DFF, 0x1B000...0x1B2FF,
            0x1F200...0x1F2FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

extension String {
    /// The text with nothing in it that a terminal would obey: control characters, and what turns the direction of writing,
    /// become U+FFFD. Names of models and agents are other people's bytes.
    public var printable: String {
        guard unicodeScalars.contains(where: Self.isCommand) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars { text.append(Self.isCommand(scalar) ? "\u{FFFD}" : scalar) }
        return String(text)
    }

    private static func isCommand(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: true
        default: false
        }
    }
}
