import EventLoop
import HTTP
import OTLP
import Runs
import Store
import Tracing

/// Answers the api's requests: which call it is, who asks, what was asked, what the store says.
struct Responder: Sendable {
    let settings: QueryAPISettings
    let surroundings: Surroundings
    let store: Store
    let readers: ReaderThreads
    private let health: ReaderThreads
    let authorization: Authorization
    var bounds = Bounds()

    /// What one answer about a run holds at most. Of a longer run it has the latest spans, and says so: more would be of use to nobody, and
    /// is memory of the process that serves the agents.
    struct Bounds: Sendable {
        /// Nodes of a tree, or rows of a cost.
        var nodes = 10_000
        /// Bytes of spans that are read for it.
        var bytes = 64 << 20
    }

    init(_ settings: QueryAPISettings, _ surroundings: Surroundings, _ store: Store, _ readers: ReaderThreads, _ health: ReaderThreads) {
        self.settings = settings
        self.surroundings = surroundings
        self.store = store
        self.readers = readers
        self.health = health
        authorization = Authorization(settings)
    }

    /// On the api's loop.
    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        var response: HTTPResponse
        do { response = try await respond(to: request) } catch { response = error.response }
        response.fields.append(HTTPField("cache-control", "no-store"))
        response.fields.append(HTTPField("x-content-type-options", "nosniff"))
        return response
    }

    private func respond(to request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let route = Route(path: request.path)
        try authorization.check(request, route)
        guard let route else { throw Problem(404, "Nothing is known by this path. /api/openapi.json lists the calls.") }
        guard route.methods.contains(request.method) else {
            let allowed = route.methods.map { "\($0.name)" }.joined(separator: ", ")
            throw Problem(405, "This path takes \(allowed).", fields: [HTTPField("allow", allowed)])
        }
        var parameters = Parameters(request.query)
        switch route {
        case .page: return Page.response
        case .healthz: return HTTPResponse(200, "text/plain; charset=utf-8", "ok\n")
        case .readyz:
            let readiness = surroundings.readiness()
            return HTTPResponse(readiness == .ready ? 200 : 503, "text/plain; charset=utf-8", readiness.rawValue + "\n")
        case .metrics:
            try parameters.finish()
            let metrics = store.metrics
            return HTTPResponse(200, MetricsText.contentType, try await picture { $0.metrics(of: metrics) })
        case .openAPI:
            try parameters.finish()
            return Self.json(OpenAPI.document)
        case .configuration:
            try parameters.finish()
            return Self.json(Array(surroundings.configuration().utf8))
        case .health:
            try parameters.finish()
            return Self.json(try await picture { $0.json })
        case .runs: return try await runs(&parameters)
        case .cost: return try await cost(&parameters)
        case .run(let id) where request.method == .delete: return try await delete(id, parameters)
        case .run(let id): return try await run(id, parameters)
        case .runCost(let id): return try await cost(of: id, &parameters)
        case .runOTLP(let id): return try await otlp(id, parameters, accept: request.value(of: "accept"))
        case .runEnd(let id): return try await end(id, parameters)
        case .runDiff, .live: throw Problem(404, "This call is not in this build yet. /api/openapi.json lists those that are.")
        }
    }

    static func json(_ bytes: [UInt8]) -> HTTPResponse { HTTPResponse(200, "application/json", bytes) }

    /// How everything does, as of now, in words: `write` takes as long as callers have made the metrics, and has no business on the loop.
    private func picture<Text: Sendable>(_ write: @escaping @Sendable (HealthPicture) -> Text) async throws(Problem) -> Text {
        let (store, surroundings, clock) = (store, surroundings, settings.clock)
        return try await health.run {
            write(
                HealthPicture(
                    surroundings: surroundings, store: store.health(), gateway: surroundings.gateway(), exporters: surroundings.exporters(), process: .now(), now: clock.wall))
        }
    }
}
