extension StringProtocol {
    /// Without spaces, tabs and line breaks at either end.
    func trimmingWhitespace() -> String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" }
        var scalars = Substring(self).unicodeScalars
        while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// Whether these bytes stand in it somewhere. (The standard `contains` of a text would link the regex engine.)
    func has(_ part: String) -> Bool {
        let part = Array(part.utf8)
        var rest = Substring(self).utf8
        while rest.count >= part.count {
            if rest.starts(with: part) { return true }
            rest.removeFirst()
        }
        return false
    }
}
