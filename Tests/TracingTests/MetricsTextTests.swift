import Testing
import Tracing

@Suite struct `A metrics text` {
    @Test func `says what a metric is before its samples`() {
        var text = MetricsText()
        text.begin(.connects)
        text.sample([(.provider, "openai")], 3)
        text.sample([(.provider, "a\"b\\c\nd")], UInt64.max)
        text.add(.storeSize, 4096)
        text.begin(.loopLongestTurn)
        text.sample([(.loop, "loop-0")], 0.0025)
        text.begin(.cost)
        text.sample([(.providerName, "openai"), (.requestModel, "gpt-4o")], USD("0.0001625")!)
        #expect(
            text.text == """
                # HELP hopspan_upstream_connects_total Connections made.
                # TYPE hopspan_upstream_connects_total counter
                hopspan_upstream_connects_total{provider="openai"} 3
                hopspan_upstream_connects_total{provider="a\\"b\\\\c\\nd"} 18446744073709551615
                # HELP hopspan_store_size_bytes Bytes of the store on disk.
                # TYPE hopspan_store_size_bytes gauge
                hopspan_store_size_bytes 4096
                # HELP hopspan_loop_longest_turn_seconds The longest turn of the last half minute to minute: how late a connection may have been served.
                # TYPE hopspan_loop_longest_turn_seconds gauge
                hopspan_loop_longest_turn_seconds{loop="loop-0"} 0.0025
                # HELP hopspan_cost_usd_total What the hops cost, in US dollars, as far as prices are known.
                # TYPE hopspan_cost_usd_total counter
                hopspan_cost_usd_total{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"} 0.0001625

                """)
    }

    @Test func `adds a histogram's buckets up`() {
        var text = MetricsText()
        text.begin(.operationDuration)
        text.histogram([(.operationName, "chat")], counts: [1, 0, 2], bounds: [0.5, 1], sum: 7.25)
        #expect(
            text.text.split(separator: "\n").dropFirst(2) == [
                #"gen_ai_client_operation_duration_seconds_bucket{gen_ai_operation_name="chat",le="0.5"} 1"#,
                #"gen_ai_client_operation_duration_seconds_bucket{gen_ai_operation_name="chat",le="1"} 1"#,
                #"gen_ai_client_operation_duration_seconds_bucket{gen_ai_operation_name="chat",le="+Inf"} 3"#,
                #"gen_ai_client_operation_duration_seconds_sum{gen_ai_operation_name="chat"} 7.25"#,
                #"gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat"} 3"#,
            ])
    }
}
