import Configuration
import Terminal

/// A word of the user's, to be shown: without control characters, and not without end.
func quoted(_ word: String) -> String { "\"" + Styled(word).cut(to: 60).text + "\"" }

/// `; did you mean runs?`, or nothing where no word is near.
func didYouMean(_ word: String, among known: [String]) -> String {
    Spelling.nearest(to: word, among: known).map { "; did you mean \($0)?" } ?? ""
}
