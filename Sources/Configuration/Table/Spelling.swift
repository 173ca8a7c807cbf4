/// What an unknown word was probably meant to be.
public enum Spelling {
    /// `did you mean max_body?`, or the list of what there is.
    /// - Parameter refused: words that may have been meant, and are not to be had.
    static func advice(for word: String, among known: [String], refused: [String] = []) -> String {
        if let near = nearest(to: word, among: known + refused) { return "did you mean \(near)?" }
        return "expected " + oneOf(known)
    }

    static func oneOf(_ words: [String]) -> String { words.count == 1 ? words[0] : "one of " + words.joined(separator: ", ") }

    /// The closest of the words, when at most a third of its letters are wrong.
    public static func nearest(to word: String, among known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let simple = letters(word)
        let ranked = known.map { known in
            let letters = letters(known)
            return (word: known, length: letters.count, distance: distance(simple, letters))
        }.min { $0.distance < $1.distance }
        guard let ranked, ranked.distance <= max(1, ranked.length / 3), ranked.distance < ranked.length else { return nil }
        return ranked.word
    }

    /// `maxBody`, `max-body` and `max_body` are the same word to a tired eye.
    private static func letters(_ word: String) -> [UInt8] {
        word.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var twoBack: [Int] = []
        var back = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var best = min(back[j + 1] + 1, row[j] + 1, back[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, twoBack[j - 1] + 1) }
                row.append(best)
            }
            (twoBack, back) = (back, row)
        }
        return back[right.count]
    }
}
