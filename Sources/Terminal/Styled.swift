/// How a piece of text looks where colour is on: "Select Graphic Rendition" codes that every terminal has (ECMA-48 §8.3.117).
public enum Style: UInt8, Sendable {
    case plain, bold, dim, red, green, yellow, cyan

    var code: String {
        switch self {
        case .plain: ""
        case .bold: "1"
        case .dim: "2"
        case .red: "31"
        case .green: "32"
        case .yellow: "33"
        case .cyan: "36"
        }
    }
}

/// A line, or a part of one, in pieces of one style each. Safe to show: control characters have been taken out.
public struct Styled: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    private struct Piece: Sendable, Hashable {
        var text: String
        var style: Style
    }
    private var pieces: [Piece]

    public init(_ text: String, _ style: Style = .plain) { pieces = text.isEmpty ? [] : [Piece(text: text.printable, style: style)] }
    public init(stringLiteral text: String) { self.init(text) }

    public static func + (left: Styled, right: Styled) -> Styled {
        var sum = left
        sum.pieces += right.pieces
        return sum
    }

    public static func += (left: inout Styled, right: Styled) { left.pieces += right.pieces }

    public var isEmpty: Bool { pieces.isEmpty }

    /// In columns.
    public var width: Int { pieces.reduce(0) { $0 + TextWidth.columns($1.text) } }

    /// The text itself.
    public var text: String { pieces.map(\.text).joined() }

    /// At most `width` columns of it; what is cut ends with `…`.
    public func cut(to width: Int) -> Styled {
        guard self.width > width else { return self }
        guard width > 0 else { return Styled("") }
        var left = width - 1
        var result = Styled("")
        for piece in pieces {
            var kept = ""
            for character in piece.text {
                let columns = TextWidth.columns(character)
                if columns > left {
                    result.pieces.append(Piece(text: kept + "…", style: piece.style))
                    return result
                }
                left -= columns
                kept.append(character)
            }
            result.pieces.append(Piece(text: kept, style: piece.style))
        }
        return result
    }

    /// The text with its codes, or without where colour is off.
    public func shown(inColor: Bool) -> String {
        guard inColor else { return text }
        return pieces.map { $0.style == .plain ? $0.text : "\u{1B}[\($0.style.code)m\($0.text)\u{1B}[0m" }.joined()
    }
}
