// Sound: `environ` is a variable, and nothing in this program writes to it.
@unsafe @preconcurrency import Glibc

/// The process's environment, as it was at the start.
enum Environment {
    static func read() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        // Sound: the array ends with a null pointer, and its strings with a zero; no other thread runs yet.
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")), equals != pair.startIndex {
                let name = String(pair[..<equals])
                // The first of two wins, as with getenv(3).
                if variables[name] == nil { variables[name] = String(pair[pair.utf8.index(after: equals)...]) }
            }
            unsafe entry += 1
        }
        return variables
    }
}
