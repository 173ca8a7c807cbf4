import JSON
import OTLP
import Runs
import Tracing

extension RunTree {
    /// The answer of `GET /api/runs/{run}`: the run's summary and its tree. Edges and findings come with linking and analysis.
    /// - Parameter isCut: the run has earlier spans, which are not in the tree.
    func json(_ run: RunSummary, isCut: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        run.write(to: &json)
        json.flag("cut", isCut)
        json.key("root")
        writeNodes(to: &json)
        json.strings("edges", [])
        json.strings("findings", [])
        json.text("suspect", nil)
        json.endObject()
        return json.bytes
    }

    /// The root with all below it. No recursion: a run may be deeper than a thread's stack.
    private func writeNodes(to json: inout JSONWriter) {
        var open: [(node: Int, next: Int)] = []
        func begin(_ node: Int, _ json: inout JSONWriter) {
            json.beginObject()
            nodes[node].write(to: &json)
            json.key("children")
            json.beginArray()
            open.append((node, 0))
        }
        begin(root, &json)
        while let last = open.last {
            let children = nodes[last.node].children
            if last.next < children.count {
                open[open.count - 1].next += 1
                begin(children[last.next], &json)
            } else {
                json.endArray()
                json.endObject()
                open.removeLast()
            }
        }
    }
}

extension RunTree.Node {
    /// Writes the members of a Node, but its children, into an open object.
    fileprivate func write(to json: inout JSONWriter) {
        json.key("span_id")
        json.string(spanID.description)
        json.key("trace_id")
        json.string(traceID.description)
        json.text("parent_span_id", parentSpanID?.description)
        json.key("kind")
        json.string("\(kind.name)")
        json.key("name")
        json.string(name)
        json.time("started_at", startedAt)
        json.duration("duration_ms", endedAt - startedAt)
        json.duration("ttft_ms", timeToFirstContent.map { UInt64(clamping: $0) })
        json.key("status")
        json.string(isError ? "error" : "ok")
        json.text("error_type", errorType)
        json.text("provider", provider)
        json.text("request_model", requestModel)
        json.text("response_model", responseModel)
        json.strings("finish_reasons", finishReasons)
        if tokens.isKnown {
            json.tokens(
                input: tokens.input, output: tokens.output, cacheRead: tokens.cacheRead, cacheWrite: tokens.cacheWrite, reasoning: tokens.reasoning)
        } else {
            json.key("tokens")
            json.null()
        }
        json.usd("cost_usd", cost)
        json.text("cost_source", cost == nil ? nil : costSource)
        json.key("price")
        // Ours, or of a caller who named an attribute like it.
        if let price, let object = try? JSONValue(price), object.members != nil { object.write(to: &json) } else { json.null() }
        json.key("linked_by")
        json.string("\(linkedBy.name)")
        json.key("timing")
        json.string(isInferred ? "inferred" : "measured")
        json.key("attributes")
        Self.write(attributes, to: &json)
    }

    /// Each name once, the last of it.
    private static func write(_ attributes: [KeyValue], to json: inout JSONWriter) {
        json.beginObject()
        var written: Set<String> = []
        let last = Dictionary(attributes.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { $1 })
        for attribute in attributes where written.insert(attribute.key).inserted {
            json.key(attribute.key)
            attributes[last[attribute.key] ?? 0].value.write(to: &json)
        }
        json.endObject()
    }
}

extension AnyValue {
    /// As JSON: bytes in hexadecimal, what is no number as text.
    fileprivate func write(to json: inout JSONWriter) {
        switch self {
        case .empty: json.null()
        case .string(let text): json.string(text)
        case .bool(let value): json.bool(value)
        case .int(let value): json.int(value)
        case .double(let value): if value.isFinite { json.double(value) } else { json.string("\(value)") }
        case .array(let values):
            json.beginArray()
            for value in values { value.write(to: &json) }
            json.endArray()
        case .keyValues(let values):
            json.beginObject()
            for value in values {
                json.key(value.key)
                value.value.write(to: &json)
            }
            json.endObject()
        case .bytes(let bytes): json.string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
    }
}
