import HTTP
import LLM
import MCP
import Synchronization

// What callers of MCP servers are told of leave and where to get it: as it is on this side of the gateway (MCP 2025-11-25,
// Authorization; RFC 9728).
extension Exchange {
    /// The server's challenges become the gateway's: where callers' tokens are for the server, the metadata is to be asked for here. Where
    /// they are not, a challenge is for the gateway's own credential, and nothing to callers.
    func answerChallenges(_ upstream: Upstream, by worker: Worker) {
        let answer = answer
        for index in 0..<answer.fieldCount where answer.field(index).name == .other && Self.challengeField.isField(index, of: answer) {
            answer.withhold(index)
            let url = OutputBuffer(capacity: 128)
            guard upstream.passesCredentials, writeOwnURL(upstream, ProtectedResource.wellKnown, by: worker, into: url) else { continue }
            let lines = linesToAdd
            lines.append("WWW-Authenticate: ")
            ProtectedResource.rewrite(challenge: answer.value(index), metadata: url.bytes) { lines.append($0) }
            lines.append("\r\n")
        }
    }

    /// The server's metadata is to pass, as the gateway's.
    func editMetadata(_ upstream: Upstream, by worker: Worker) throws(GatewayError) {
        let resource = OutputBuffer(capacity: 128)
        guard writeOwnURL(upstream, "", by: worker, into: resource) else { throw .foreignHost }
        editAnswer { [unowned self] text in
            guard answer.status == 200 else { return .none }
            return ProtectedResource.edit(text, resource: resource.bytes).map { .changes([$0]) } ?? .unreadable
        }
    }

    /// The gateway's URL of the server as the caller sees it, with `prefix` before its path.
    /// - Returns: false where the caller does not say by what name it sees the gateway.
    func writeOwnURL(_ upstream: Upstream, _ prefix: StaticString, by worker: Worker, into output: OutputBuffer) -> Bool {
        let request = request
        guard let index = request.index(of: .host) else { return false }
        let host = request.value(index)
        guard host.byteCount > 0 else { return false }
        // What is no part of an authority (RFC 3986 §3.2) has no place in a quoted string.
        for offset in 0..<host.byteCount {
            switch host[byte: offset] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "@"), UInt8(ascii: "/"), 0...0x20, 0x7F...: return false
            default: break
            }
        }
        output.append(worker.settings.tls == nil && !isSecureBefore ? "http://" : "https://")
        output.append(host)
        output.append(prefix)
        output.append("/")
        output.append(upstream.name)
        return true
    }

    /// TLS ends at a proxy before the gateway, which says so.
    private var isSecureBefore: Bool {
        let request = request
        guard let index = Self.protocolField.index(in: request) else { return false }
        return request.value(index).equalsIgnoringCase("https")
    }

    /// Writes the metadata of a server that callers bring no tokens for into `output`, a whole answer.
    func writeOwnMetadata(_ resource: OutputBuffer, keepsAlive: Bool) {
        output.removeAll()
        output.append("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ")
        let body = ProtectedResource.own(resource.bytes)
        output.append(decimal: body.count)
        output.append("\r\n")
        writeOurFields()
        if !keepsAlive { output.append("connection: close\r\n") }
        output.append("\r\n")
        // Sound: bytes have no padding.
        unsafe output.append(body.span.bytes)
    }

    private static let challengeField = ConfiguredField("www-authenticate")
    private static let protocolField = ConfiguredField("x-forwarded-proto")
}

extension Worker {
    /// The server whose metadata a path names: `/.well-known/oauth-protected-resource/mcp/{server}`.
    @inline(never)
    func routeMetadata(_ exchange: Exchange) -> Upstream? {
        let request = exchange.request
        let path = request.path
        let length = ProtectedResource.wellKnown.utf8CodeUnitCount
        guard path.starts(with: ProtectedResource.wellKnown), length < path.byteCount,
            let name = UpstreamPath.name(in: path.extracting(length..<path.byteCount)), name.starts(with: "mcp/")
        else { return nil }
        let server = upstream(named: name)
        exchange.asksMetadata = server != nil
        return server
    }

    /// Whether what is asked of the metadata is the server's to say.
    func asksServer(_ exchange: Exchange, _ upstream: Upstream) -> Bool { upstream.passesCredentials && exchange.request.method == .get }

    /// Sends for the server's metadata: where it stands for the endpoint's path, else where it stands for all of the server (MCP
    /// 2025-11-25, Protected Resource Metadata Discovery).
    @inline(never)
    func sendForMetadata(_ exchange: Exchange, to upstream: Upstream, for downstream: HTTP1Connection) async throws(GatewayError) -> HTTP1Connection {
        let connection = try await send(exchange, to: upstream, for: downstream)
        guard exchange.answer.status == 404, upstream.pathPrefix.count > 1 else { return connection }
        connection.stream.reset()
        exchange.asksElsewhere()
        return try await send(exchange, to: upstream, for: downstream)
    }

    /// Answers for a server whose tokens are not callers' business, and whoever does not read. No hop: nothing goes any further.
    @inline(never)
    func answerMetadata(_ exchange: Exchange, _ upstream: Upstream, on downstream: HTTP1Connection) async -> Bool {
        exchange.takeContextForAnswer(&ids)
        let keepsAlive = exchange.request.keepsAlive && downstream.isAtMessageEnd && !isDraining
        let resource = OutputBuffer(capacity: 128)
        var error: GatewayError?
        if exchange.request.method != .get {
            error = .methodNotAllowed
        } else if !hosts.accepts(exchange.request) || !exchange.writeOwnURL(upstream, "", by: self, into: resource) {
            counters.foreignHosts.add(1, ordering: .relaxed)
            error = .foreignHost
        }
        if let error {
            let message = error == .methodNotAllowed ? "The metadata of a server is read, with GET." : error.message(upstream.place)
            exchange.writeRefusal(
                status: error.status, message: message, type: error.errorType, speech: .dialect(.other), keepsAlive: keepsAlive)
        } else {
            exchange.writeOwnMetadata(resource, keepsAlive: keepsAlive)
        }
        return await send(exchange, on: downstream) && keepsAlive
    }
}
