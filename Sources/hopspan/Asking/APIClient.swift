import Commands
import Configuration
import HTTP
import JSON
import Synchronization
import Terminal
import Tracing

/// Asks the api of a running gateway. Blocks; for the main thread.
struct APIClient {
    private let base: HTTPURL
    /// `--api` or `HOPSPAN_API`, for messages: how the base was chosen.
    private let headers: HTTPFields
    private let console: Console

    /// What an answer may come to.
    private static let longestAnswer = 1 << 30

    init(_ given: HTTPURL?, _ console: Console) throws(Failure) {
        self.console = console
        if let given {
            base = given
        } else if let text = console.environment["HOPSPAN_API"], !text.isEmpty {
            guard let url = apiURL(text) else { throw Failure("HOPSPAN_API is no URL such as \(APIClient.standard)") }
            base = url
        } else {
            base = APIClient.standard
        }
        var headers: HTTPFields = ["user-agent": "\(ProgramVersion.name)/\(ProgramVersion.version)"]
        if let token = console.environment["HOPSPAN_API_TOKEN"], !token.isEmpty { headers.append("authorization", "Bearer \(token)") }
        self.headers = headers
    }

    private static var standard: HTTPURL { apiURL("127.0.0.1:8701")! }

    /// A 404 is nil: what was asked for is not known there.
    func get(_ target: String, method: HTTP.Method = .get) throws(Failure) -> [UInt8]? {
        let path = base.path.hasSuffix("/") ? String(base.path.dropLast()) : base.path
        let origin = Origin(isTLS: base.scheme == .https, host: base.host, port: base.port)
        var request = HTTPClientRequest(method, origin, target: path + target, headers: headers)
        request.timeout = .seconds(60)
        let download = Download(limit: Self.longestAnswer, on: console.errors)
        do {
            try HTTPClient.streamBlocking(request, idle: .seconds(60), onHead: { download.begin($0) }, onPiece: { download.take($0) })
        } catch {
            throw Failure("cannot reach the api at \(base): \(error). Is hopspan serve running? --api or HOPSPAN_API say where.")
        }
        let (status, body, isCut) = download.finish()
        switch status {
        case 200..<300:
            if isCut { console.complain(["hopspan: the run is longer than one answer may be: its earliest spans are left out"]) }
            return body
        case 401:
            let has = headers["authorization"] != nil
            throw Failure(has ? "the api at \(base) does not take this HOPSPAN_API_TOKEN" : "the api at \(base) wants a token: set HOPSPAN_API_TOKEN")
        case 404: return nil
        default:
            // RFC 9457; what is no problem of ours is another server's page.
            let problem = try? JSONValue(String(decoding: body, as: UTF8.self))
            let words = problem?["detail"]?.string ?? problem?["title"]?.string
            throw Failure("the api at \(base) answered \(status)" + (words.map { ": " + $0.printable } ?? ""))
        }
    }
}

/// An answer as it comes, with its progress where its length is known.
private final class Download: Sendable {
    private struct State: ~Copyable {
        var status = 0
        var isCut = false
        var body: [UInt8] = []
        var progress: Progress?
    }
    private let state = Mutex(State())
    private let limit: Int
    private let stream: Terminal.Stream

    init(limit: Int, on stream: Terminal.Stream) {
        self.limit = limit
        self.stream = stream
    }

    func begin(_ head: HTTPClientResponse) {
        state.withLock { state in
            state.status = head.status
            state.isCut = head.headers["x-hopspan-cut"] == "true"
            if let length = head.headers["content-length"].flatMap({ Int($0) }), head.headers["content-encoding"] == nil {
                state.progress = Progress("reading the answer", total: length, on: stream)
            }
        }
    }

    func take(_ piece: RawSpan) -> Bool {
        state.withLock { state in
            // Sound: copied inside the closure.
            unsafe piece.withUnsafeBytes { unsafe state.body.append(contentsOf: $0) }
            state.progress?.update(state.body.count)
            return state.body.count <= limit
        }
    }

    func finish() -> (status: Int, body: [UInt8], isCut: Bool) {
        state.withLock { state in
            state.progress = nil
            return (state.status, state.body, state.isCut)
        }
    }
}
