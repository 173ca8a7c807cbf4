import Runs
import Testing
import Tracing

@Suite struct `Metrics over hops` {
    private func metrics(_ hops: [Hop]) -> String {
        let metrics = SpanMetrics()
        var draft = SpanDraft()
        for hop in hops {
            hop.draw(into: &draft)
            let record = draft.record
            draft.withEntries { metrics.add(record, $0, SpanFacts($0)) }
        }
        var text = MetricsText()
        metrics.write(to: &text)
        return text.text
    }

    @Test func `are Prometheus text`() {
        var failed = Hop(span: 2, start: 0, end: 2_000_000_000, tokens: nil, cost: nil, isError: true)
        failed.provider = "anthropic"
        failed.errorType = "429"
        let text = metrics([
            Hop(span: 1, start: 0, end: 30_000_000, tokens: (10, 1), cost: "0.1", responseModel: "gpt-4o-2024"), failed,
            Hop(span: 3, start: 0, end: 10_000_000, tokens: (5_000, 1), cost: "0.2", responseModel: "gpt-4o-2024"),
            Hop(kind: .http, tokens: nil, cost: nil, operation: nil, model: nil, provider: "acme"), Hop(kind: .run), Hop(kind: .attempt),
        ])
        let lines = text.split(separator: "\n").map(String.init)
        let call = #"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="gpt-4o-2024""#
        for line in [
            "# TYPE hopspan_exchanges_total counter",
            #"hopspan_exchanges_total{hopspan_hop_kind="llm",gen_ai_provider_name="openai",status="ok"} 2"#,
            #"hopspan_exchanges_total{hopspan_hop_kind="llm",gen_ai_provider_name="anthropic",status="error"} 1"#,
            #"hopspan_exchanges_total{hopspan_hop_kind="http",gen_ai_provider_name="acme",status="ok"} 1"#,
            #"hopspan_errors_total{hopspan_hop_kind="llm",gen_ai_provider_name="anthropic",error_type="429"} 1"#,
            #"hopspan_cost_usd_total{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"} 0.3"#,
            "# TYPE gen_ai_client_token_usage histogram",
            "gen_ai_client_token_usage_bucket{\(call),gen_ai_token_type=\"input\",le=\"4\"} 0",
            "gen_ai_client_token_usage_bucket{\(call),gen_ai_token_type=\"input\",le=\"16\"} 1",
            "gen_ai_client_token_usage_bucket{\(call),gen_ai_token_type=\"input\",le=\"16384\"} 2",
            "gen_ai_client_token_usage_bucket{\(call),gen_ai_token_type=\"input\",le=\"+Inf\"} 2",
            "gen_ai_client_token_usage_sum{\(call),gen_ai_token_type=\"input\"} 5010",
            "gen_ai_client_token_usage_count{\(call),gen_ai_token_type=\"output\"} 2",
            // A bound belongs to its bucket: 10 ms are not more than 0.01 s.
            "gen_ai_client_operation_duration_seconds_bucket{\(call),le=\"0.01\"} 1",
            "gen_ai_client_operation_duration_seconds_bucket{\(call),le=\"0.04\"} 2",
            "gen_ai_client_operation_duration_seconds_sum{\(call)} 0.04",
            #"gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="anthropic",gen_ai_request_model="gpt-4o",error_type="429"} 1"#,
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!text.contains(#"hopspan_hop_kind="run""#))
        #expect(text.contains(#"le="0.02""#) && text.contains(#"le="81.92""#) && text.contains(#"le="67108864""#))
    }

    @Test func `escape what callers name things`() {
        let text = metrics([Hop(model: "a\"b\\c\nd")])
        #expect(text.contains(#"gen_ai_request_model="a\"b\\c\nd""#))
    }

    @Test func `stay few however many models callers think of`() {
        let hops = (0..<5_000).map { Hop(span: UInt64($0 + 1), tokens: (1, 1), cost: nil, model: "model-\($0)") }
        let text = metrics(hops)
        let counts = text.split(separator: "\n").filter { $0.hasPrefix("gen_ai_client_operation_duration_seconds_count") }
        #expect(counts.count <= 201)
        let total = counts.compactMap { Int($0.split(separator: " ").last!) }.reduce(0, +)
        #expect(total == 5_000)
        #expect(text.contains(#"gen_ai_request_model="other""#))
        #expect(text.contains(#"hopspan_exchanges_total{hopspan_hop_kind="llm",gen_ai_provider_name="openai",status="ok"} 5000"#))
    }

    @Test func `have room for models with a price when callers have thought of all others`() {
        let invented = (0..<5_000).map { Hop(span: UInt64($0 + 1), tokens: (1, 1), cost: nil, model: "model-\($0)") }
        let real = (0..<300).map { Hop(span: UInt64($0 + 9_001), tokens: (1, 1), cost: "0.1", model: "real-\($0)") }
        let failed = Hop(span: 9_999, tokens: nil, cost: nil, isError: true, model: "real-7")
        let text = metrics(invented + real + [failed])
        #expect(text.contains(#"gen_ai_request_model="real-299""#))
        #expect(text.contains(#"gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="real-7",error_type="#))
        let costs = text.split(separator: "\n").count { $0.hasPrefix("hopspan_cost_usd_total{") }
        #expect(costs == 300)
    }

    @Test func `cut models' names at 64 bytes, between characters`() {
        let text = metrics([Hop(model: String(repeating: "m", count: 63) + "é-and-so-on"), Hop(model: String(repeating: "n", count: 65)), Hop(model: String(repeating: "o", count: 64))])
        #expect(text.contains("gen_ai_request_model=\"" + String(repeating: "m", count: 63) + "\""))
        #expect(text.contains("gen_ai_request_model=\"" + String(repeating: "n", count: 64) + "\""))
        #expect(text.contains("gen_ai_request_model=\"" + String(repeating: "o", count: 64) + "\""))
    }

    @Test func `stay few however many providers and errors there are`() {
        let hops = (0..<5_000).map { number in
            var hop = Hop(span: UInt64(number + 1), isError: true, provider: "provider-\(number)")
            hop.errorType = "error-\(number)"
            return hop
        }
        let text = metrics(hops)
        #expect(text.split(separator: "\n").count { $0.hasPrefix("hopspan_errors_total{") } <= 2_001)
    }
}
