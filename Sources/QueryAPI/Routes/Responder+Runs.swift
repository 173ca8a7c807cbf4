import EventLoop
import HTTP
import OTLP
import Runs
import Store
import Tracing

// The calls on runs.
extension Responder {
    /// `GET /api/runs`
    func runs(_ parameters: inout Parameters) async throws(Problem) -> HTTPResponse {
        let query = RunQuery(&parameters, now: settings.clock.wall)
        try parameters.finish()
        return Self.json(try await readers.read { reader throws(StoreError) in try reader.runs(query).json })
    }

    /// `GET /api/cost`
    func cost(_ parameters: inout Parameters) async throws(Problem) -> HTTPResponse {
        let query = SpendQuery(&parameters, now: settings.clock.wall)
        try parameters.finish()
        return Self.json(try await readers.read { reader throws(StoreError) in try reader.spend(query).json(by: query.by) })
    }

    /// `GET /api/runs/{run}`
    func run(_ id: String, _ parameters: Parameters) async throws(Problem) -> HTTPResponse {
        try parameters.finish()
        let bounds = bounds
        return Self.json(
            try await found { reader throws(StoreError) in
                guard let run = try reader.run(id) else { return nil }
                let spans = try reader.spans(of: run, limit: bounds.nodes, bytes: bounds.bytes)
                return RunTree(run.summary, spans.decoded).json(run.summary, isCut: spans.isCut)
            })
    }

    /// `GET /api/runs/{run}/cost`
    func cost(of id: String, _ parameters: inout Parameters) async throws(Problem) -> HTTPResponse {
        let by = parameters.one("by", RunQuery.words(RunCostKey.allCases.map(\.rawValue))) { RunCostKey(rawValue: $0) } ?? .hop
        try parameters.finish()
        let bounds = bounds
        return Self.json(
            try await found { reader throws(StoreError) in
                guard let run = try reader.run(id) else { return nil }
                // A row a hop is too many of a long run: the latest are kept. All count in the sums.
                var cost = RunCost(by: by, rowsAtMost: bounds.nodes)
                try reader.forEachSpan(of: run) { if let span = try? OTLPSpan(decoding: $0) { cost.add(span) } }
                return cost.json
            })
    }

    /// `GET /api/runs/{run}/otlp`
    func otlp(_ id: String, _ parameters: Parameters, accept: String?) async throws(Problem) -> HTTPResponse {
        try parameters.finish()
        let source = settings.source
        let isProtobuf = Accept.prefersProtobuf(accept)
        let bounds = bounds
        let (traces, isCut) = try await found { reader throws(StoreError) -> ([UInt8], Bool)? in
            guard let run = try reader.run(id) else { return nil }
            let spans = try reader.spans(of: run, bytes: bounds.bytes)
            return (isProtobuf ? spans.protobuf(source) : spans.json(source), spans.isCut)
        }
        var response = isProtobuf ? HTTPResponse(200, Accept.protobuf, traces) : Self.json(traces)
        // OTLP has no place to say so.
        if isCut { response.fields.append(HTTPField("x-hopspan-cut", "true")) }
        return response
    }

    /// `POST /api/runs/{run}/end`: closes the run now and answers with what it came to. A run that has ended stays as it is.
    func end(_ id: String, _ parameters: Parameters) async throws(Problem) -> HTTPResponse {
        try parameters.finish()
        let run = try await recorded(id)
        let (store, key) = (store, run.summary.head.key)
        let isKnown: Result<Bool, StoreError> = await suspend { done in store.end(key) { done.resume(returning: $0) } }
        guard try Self.value(isKnown) else { throw .unknownRun }
        return Self.json(try await found { reader throws(StoreError) in try reader.run(id)?.summary.json })
    }

    /// `DELETE /api/runs/{run}`
    func delete(_ id: String, _ parameters: Parameters) async throws(Problem) -> HTTPResponse {
        try parameters.finish()
        let run = try await recorded(id)
        let store = store
        let wasThere: Result<Bool, StoreError> = await suspend { done in store.delete(run) { done.resume(returning: $0) } }
        guard try Self.value(wasThere) else { throw .unknownRun }
        return HTTPResponse(204)
    }

    // MARK: reading

    /// What `body` finds; nil is a run that nobody knows.
    func found<Value: Sendable>(_ body: @escaping @Sendable (StoreReader) throws(StoreError) -> Value?) async throws(Problem) -> Value {
        guard let value = try await readers.read(body) else { throw .unknownRun }
        return value
    }

    /// The run, once everything recorded so far is stored: who ends a run has just made its last call. What is changed must be the run
    /// that is meant: of several callers' runs by one name none is chosen.
    private func recorded(_ id: String) async throws(Problem) -> StoredRun {
        let store = store
        let flushed: Result<Void, StoreError> = await suspend { done in store.flush { done.resume(returning: $0) } }
        try Self.value(flushed)
        let runs = try await readers.read { reader throws(StoreError) in try reader.runs(called: id) }
        guard let run = runs.first else { throw .unknownRun }
        guard runs.count == 1 else { throw .ambiguous(runs.map(\.summary)) }
        return run
    }

    private static func value<Value>(_ result: Result<Value, StoreError>) throws(Problem) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let error): throw Problem(error)
        }
    }
}
