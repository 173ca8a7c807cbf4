import Foundation
import LLM
import Testing

@testable import Configuration
@testable import hopspan

@Suite struct `The README` {
    static let text = (try? String(contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md"), encoding: .utf8)) ?? ""

    static let blocks = text.split(separator: "```yaml\n").dropFirst().compactMap { $0.split(separator: "```").first.map(String.init) }

    @Test func `has configurations that are taken without a warning`() throws {
        #expect(Self.blocks.count == 4)
        for block in Self.blocks {
            let loaded = try Configuration.load(
                file: Array(block.utf8), path: "README.md", environment: ["OPENAI_API_KEY": "k", "WEATHER_TOKEN": "w", "RESEARCHER_TOKEN": "r"], providers: .known(.bundled), read: { _ in nil })
            #expect(loaded.warnings.map(\.description) == [])
        }
    }

    @Test func `counts the providers that take OpenAI's paths without configuration`() {
        let count = Provider.all.count { $0.v1 != nil && $0.host.utf8CodeUnitCount > 0 && $0.name.description != "openai" }
        let named = ["groq", "mistral", "deepseek", "xai", "ollama"]
        for name in named { #expect(Self.text.contains("`/\(name)/v1/…`") && Provider.named(name)?.v1 != nil) }
        #expect(Self.text.contains("and \(count - named.count) more."))
    }
}

@Suite struct `What this program knows of providers` {
    @Test func `shows in what is said of a configuration`() throws {
        let loaded = try Configuration.load(
            file: Array("providers: { local: { base_url: 'http://127.0.0.1:8000/v1' }, groq: { base_url: 'https://api.groq.com/openai/v1' } }".utf8), environment: [:],
            providers: .known(.bundled), read: { _ in nil })
        #expect(loaded.warnings.map(\.key) == ["providers.local.base_url", "providers.groq.base_url"])
        let misspelt = #expect(throws: Mistakes.self) {
            try Configuration.load(file: Array("providers: { gemeni: {} }".utf8), environment: [:], providers: .known(.bundled), read: { _ in nil })
        }
        #expect(misspelt?.mistakes.first?.expected?.hasPrefix("did you mean gemini?") == true)
        let priced = try Configuration.load(
            file: Array("providers: { openai: { prices: { gpt-4o: { input: '2' }, text-embedding-3-small: { input: '0.01' }, my-own: { input: '1' } } } }".utf8),
            environment: [:], providers: .known(.bundled), read: { _ in nil })
        #expect(priced.warnings.map(\.key) == ["providers.openai.prices.gpt-4o"])
    }
}
