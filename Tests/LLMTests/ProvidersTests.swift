import LLM
import Testing

@Suite struct `A provider's name in a path` {
    @Test(arguments: [
        ("openai", "openai", "api.openai.com"), ("anthropic", "anthropic", "api.anthropic.com"), ("gemini", "gcp.gemini", "generativelanguage.googleapis.com"),
        ("google", "gcp.gemini", "generativelanguage.googleapis.com"), ("gcp.gemini", "gcp.gemini", "generativelanguage.googleapis.com"), ("mistral", "mistral_ai", "api.mistral.ai"),
        ("xai", "x_ai", "api.x.ai"), ("x-ai", "x_ai", "api.x.ai"), ("groq", "groq", "api.groq.com"), ("deepseek", "deepseek", "api.deepseek.com"), ("together", "together_ai", "api.together.xyz"),
        ("fireworks", "fireworks_ai", "api.fireworks.ai"), ("perplexity", "perplexity", "api.perplexity.ai"), ("openrouter", "openrouter", "openrouter.ai"), ("cohere", "cohere", "api.cohere.com"),
        ("moonshot", "moonshot_ai", "api.moonshot.ai"), ("kimi", "moonshot_ai", "api.moonshot.ai"), ("dashscope", "dashscope", "dashscope-intl.aliyuncs.com"), ("ollama", "ollama", "127.0.0.1"),
        ("zai", "zai", "api.z.ai"), ("zhipuai", "bigmodel", "open.bigmodel.cn"), ("302ai", "302_ai", "api.302.ai"),
    ]) func `leads to its public host`(path: String, name: String, host: String) {
        let provider = Provider.named(path)
        #expect(provider?.name.description == name)
        #expect(provider?.host.description == host)
        #expect(provider?.needs == nil)
    }

    @Test(arguments: ["vertex", "bedrock", "azure", "watsonx", "databricks", "snowflake", "cloudflare"]) func `says what it needs where the host holds an account`(path: String) {
        let provider = Provider.named(path)
        #expect(provider?.needs?.description.hasPrefix("base_url: http") == true)
        #expect(provider?.host.description == "")
    }

    @Test(arguments: ["", "nobody", "OpenAI", "openai/", "v1", "mcp", "a2a", "api", String(repeating: "x", count: 70)]) func `is nothing else`(path: String) {
        #expect(Provider.named(path) == nil)
    }

    @Test func `is every name and alias of the price catalogue`() {
        let catalogue = PriceCatalogue.bundled
        for name in Set(catalogue.listings().map(\.provider)) { #expect(Provider.named(name)?.name.description == name, "\(name)") }
        for provider in Provider.all {
            for name in Provider.names(of: provider) {
                #expect(Provider.named(name)?.name.description == provider.name.description, "\(name)")
                #expect(catalogue.canonicalName(name) == provider.name.description || catalogue.canonicalName(name) == name, "\(name) is somebody else in the catalogue")
            }
        }
        for alias in ["gcp.gen_ai", "gemini", "vertexai", "aws", "amazon-bedrock", "azure_openai", "az.ai.inference", "grok", "togetherai", "voyageai", "github-copilot", "copilot"] {
            #expect(Provider.named(alias)?.name.description == catalogue.canonicalName(alias))
        }
    }

    @Test func `is in the table once, with a host or what is missing, and agrees with the catalogue on how answers count`() {
        let names = Provider.all.flatMap { Provider.names(of: $0) }
        #expect(names.count == Set(names).count)
        for provider in Provider.all {
            #expect(provider.host.utf8CodeUnitCount == 0 ? provider.needs != nil : provider.needs == nil)
            #expect(provider.isTLS ? provider.port == 443 : provider.host.description == "127.0.0.1")
            #expect(PriceCatalogue.bundled.usageShape(provider.name.description) == provider.usage, "\(provider.name)")
            if let v1 = provider.v1?.description { #expect(v1 == "/v1" || v1.utf8.count != 3 && (v1.isEmpty || v1.hasPrefix("/")) && !v1.hasSuffix("/")) }
        }
    }

    @Test(arguments: [
        ("openai", "/v1/chat/completions", 0, ""), ("openai", "/v1/files?purpose=x", 0, ""),
        ("groq", "/v1/chat/completions", 3, "/openai/v1"), ("groq", "/openai/v1/chat/completions", 0, ""), ("groq", "/v1/models", 3, "/openai/v1"), ("groq", "/v1", 0, ""), ("groq", "/v12/x", 0, ""),
        ("openrouter", "/v1/chat/completions?x=%3A", 3, "/api/v1"), ("openrouter", "/api/v1/chat/completions", 0, ""),
        ("perplexity", "/v1/chat/completions", 3, ""), ("perplexity", "/chat/completions", 0, ""),
        ("fireworks", "/v1/chat/completions", 3, "/inference/v1"), ("fireworks", "/v1/accounts/a/models", 0, ""), ("fireworks", "/inference/v1/models", 0, ""),
        ("gemini", "/v1/chat/completions", 3, "/v1beta/openai"), ("gemini", "/v1/models/gemini-2.5-flash:generateContent", 0, ""), ("gemini", "/v1beta/openai/chat/completions", 0, ""),
        ("deepinfra", "/v1/openai/chat/completions", 0, ""), ("deepinfra", "/v1/chat/completions", 3, "/v1/openai"), ("deepinfra", "/v1/inference/x", 0, ""),
        ("upstage", "/v1/solar/chat/completions", 0, ""), ("anthropic", "/v1/messages", 0, ""), ("cohere", "/v1/chat/completions", 3, "/compatibility/v1"), ("cohere", "/v1/rerank", 0, ""),
        ("azure", "/v1/chat/completions", 3, "/openai/v1"), ("zai", "/v1/chat/completions", 3, "/api/paas/v4"),
    ]) func `keeps its own paths and takes OpenAI's`(provider: String, path: String, dropping: Int, prefix: String) {
        let bytes = Array(path.utf8)
        let mapping = Provider.named(provider)?.upstreamPath(unsafe bytes.span.bytes)
        #expect(mapping?.dropping == dropping)
        #expect(mapping?.prefix.description == prefix)
    }

    @Test func `takes an injected stream option only where that is known to be good`() {
        for name in ["openai", "azure", "groq", "deepseek", "vllm", "ollama"] { #expect(Provider.named(name)?.takesStreamUsage == true, "\(name)") }
        for name in ["mistral", "anthropic", "perplexity", "bedrock"] { #expect(Provider.named(name)?.takesStreamUsage == false, "\(name)") }
    }
}
