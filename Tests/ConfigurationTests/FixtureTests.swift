import Configuration
import Foundation
import Testing

/// One file per mistake, `Fixtures/*.yaml`, and beside it the messages the operator sees, `*.expected`. Lines
/// `# environment: NAME=value` set variables. `RECORD=1` writes the expected files anew; the diff is the review.
@Suite struct `A wrong configuration` {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static var fixtures: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    @Test(arguments: fixtures) func `is refused with the recorded messages`(name: String) throws {
        let file = try Data(contentsOf: Self.folder.appending(path: name + ".yaml"))
        let messages = Self.messages(of: [UInt8](file), name: name)
        let expected = Self.folder.appending(path: name + ".expected")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try messages.write(to: expected, atomically: true, encoding: .utf8) }
        #expect(messages == (try? String(contentsOf: expected, encoding: .utf8)))
        #expect(!messages.isEmpty)
        #expect(!messages.contains("not-be-shown"))
    }

    /// A mistake or a warning a line.
    static func messages(of file: [UInt8], name: String) -> String {
        var environment: [String: String] = [:]
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n") where line.hasPrefix("# environment: ") {
            let pair = line.dropFirst("# environment: ".count).split(separator: "=", maxSplits: 1)
            environment[String(pair[0])] = String(pair[1])
        }
        var lines: [String]
        let warnings: [Mistake]
        do throws(Mistakes) {
            warnings = try Configuration.load(
                file: file, path: name + ".yaml", environment: environment, providers: known,
                read: { path in (try? Data(contentsOf: folder.appending(path: path))).map { [UInt8]($0) } }
            ).warnings
            lines = []
        } catch {
            lines = error.mistakes.map(\.description)
            warnings = error.warnings
        }
        lines += warnings.map { "warning: \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }

    static let known = KnownProviders(
        havePublicHost: { ["openai", "anthropic", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "google", "other"].contains($0) },
        havePrices: { ["openai", "anthropic"].contains($0) },
        apiPath: { $0 == "groq" ? "/openai/v1" : $0 == "vertex" ? nil : "/v1" },
        havePriceOfOutput: { $0 == "openai" && $1 == "gpt-4o" }, names: ["openai", "anthropic", "gemini", "vertex"])
}

@Suite struct `Any bytes` {
    /// Reproducible: the same mutants every time (SplitMix64).
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test func `are read or refused, with a position inside the file`() throws {
        var random = Random(state: 1)
        let seeds = `A wrong configuration`.fixtures.map { name in
            [UInt8]((try? Data(contentsOf: `A wrong configuration`.folder.appending(path: name + ".yaml"))) ?? Data())
        } + [Array(`A configuration`.design.utf8)]
        let pieces = ["- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!x ", "? ", "| ", "> ", "'", "\"", "#", "\n", "\t", "---\n", "\u{FEFF}", "%YAML 9.9\n", "<<: "]
        for _ in 0..<3000 {
            var file = seeds.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0...file.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: file.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: at)
                case 1: file.removeSubrange(at..<min(file.count, at + Int.random(in: 1...20, using: &random)))
                default: if at < file.count { file[at] = UInt8.random(in: 0...255, using: &random) }
                }
            }
            do throws(Mistakes) {
                _ = try Configuration.load(file: file, environment: [:], read: { _ in nil })
            } catch {
                let lines = file.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.count + 1
                #expect(!error.mistakes.isEmpty)
                #expect(error.mistakes.allSatisfy { mistake in mistake.position.map { $0.line >= 1 && $0.column >= 1 && $0.line <= lines } == true })
            }
        }
    }
}
