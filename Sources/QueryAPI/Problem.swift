import HTTP
import JSON
import Runs
import Store

/// Why a request is not answered as it was meant: an answer of RFC 9457, `application/problem+json`.
struct Problem: Error {
    /// A parameter that cannot be read, and what it must be.
    struct Parameter: Equatable {
        var name: String
        /// Continues the name to a sentence: `must be a whole number from 1 to 1000`.
        var detail: String
    }

    var status: Int
    /// A sentence or two for people: what was wrong and what to do.
    var detail: String
    var parameters: [Parameter] = []
    /// What may have been meant, where it is not clear.
    var traceIDs: [String] = []
    var fields: [HTTPField] = []

    init(_ status: Int, _ detail: String, fields: [HTTPField] = []) {
        self.status = status
        self.detail = detail
        self.fields = fields
    }

    init(_ parameters: [Parameter]) {
        status = 400
        self.parameters = parameters
        detail = parameters.map { "\($0.name) \($0.detail)." }.joined(separator: " ")
    }

    init(_ error: StoreError) {
        switch error {
        case .busy, .closed:
            self.init(503, "The store cannot be read at the moment: \(error). Try again.", fields: [HTTPField("retry-after", "1")])
        default: self.init(500, "The store cannot be read: \(error).")
        }
    }

    /// Runs of one name, of several callers.
    static func ambiguous(_ runs: [RunSummary]) -> Problem {
        var problem = Problem(409, "Several runs have this name, each another caller's. Ask again with a trace id of the one that is meant, of those in trace_ids.")
        problem.traceIDs = runs.flatMap { $0.traceIDs.map(\.description) }
        return problem
    }

    static let busy = Problem(503, "Too many questions wait for the store. Try again in a moment.", fields: [HTTPField("retry-after", "1")])
    static let unknownRun = Problem(404, "No run has this id, alias or trace id. GET /api/runs lists the runs there are.")

    var response: HTTPResponse {
        var json = JSONWriter()
        json.beginObject()
        json.key("type")
        json.string("about:blank")
        json.key("title")
        json.string("\(Status.reason(status))")
        json.key("status")
        json.int(status)
        json.key("detail")
        json.string(detail)
        if !parameters.isEmpty {
            json.key("errors")
            json.beginArray()
            for parameter in parameters {
                json.beginObject()
                json.key("parameter")
                json.string(parameter.name)
                json.key("detail")
                json.string(parameter.detail)
                json.endObject()
            }
            json.endArray()
        }
        if !traceIDs.isEmpty { json.strings("trace_ids", traceIDs) }
        json.endObject()
        var response = HTTPResponse(status, "application/problem+json", json.bytes)
        response.fields += fields
        return response
    }
}
