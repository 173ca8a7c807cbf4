import HTTP
import MCP
private import Synchronization

/// Whether an MCP server has turned out to have the two endpoints of MCP 2024-11-05, where nobody has said so. Shared by the loops.
public final class TransportDetection: Sendable {
    private let isLegacyServer = Atomic<Bool>(false)

    public init() {}

    var isLegacy: Bool {
        get { isLegacyServer.load(ordering: .relaxed) }
        set { isLegacyServer.store(newValue, ordering: .relaxed) }
    }
}

// A client finds out which transport a server has by what comes of its first message (MCP 2025-03-26 and later, Transports: Backwards
// Compatibility). So do we in its stead, since clients are offered only the newer one.
extension Worker {
    /// The upstream as it is reached now: another loop may have found out that it is not what it was taken for.
    @inline(__always)
    func current(_ index: Int, _ upstream: Upstream) -> Upstream? {
        guard let detection = upstream.detection, detection.isLegacy != upstream.isLegacy else { return upstream }
        return again(index, upstream)
    }

    /// The server does not take messages where they were sent: it may have an event stream there.
    func isDeclined(_ exchange: Exchange, by upstream: Upstream) -> Bool {
        guard upstream.detection != nil, !upstream.isLegacy, exchange.message?.mcp.method == .initialize else { return false }
        switch exchange.answer.status {
        case 405: return true
        case 400, 404:
            // What a server says in JSON is an answer to the message, not to its being sent there.
            let answer = exchange.answer
            guard let index = answer.index(of: .contentType) else { return true }
            return !answer.value(index).starts(ignoringCase: "application/json")
        default: return false
        }
    }

    /// Sends the message again, to what speaks to an event stream.
    /// Where there is none either, the answer says so, and nothing has been found out.
    @inline(never)
    func sendToLegacy(
        _ exchange: Exchange, declinedOn connection: HTTP1Connection, by upstream: Upstream, for downstream: HTTP1Connection
    ) async throws(GatewayError) -> (Upstream, HTTP1Connection) {
        connection.stream.close()
        exchange.passOverAnswer()
        upstream.detection?.isLegacy = true
        let legacy = route(exchange) ?? upstream
        do {
            let answering = try await send(exchange, to: legacy, for: downstream)
            if Self.sessionField.index(in: exchange.answer) == nil { upstream.detection?.isLegacy = false }
            return (legacy, answering)
        } catch {
            upstream.detection?.isLegacy = false
            throw error
        }
    }

    private static let sessionField = ConfiguredField("mcp-session-id")
}

extension GatewaySettings {
    /// What has been found out of servers that are still the same.
    func keepDetections(of old: GatewaySettings) {
        for server in mcpServers {
            guard let detection = server.detection,
                let before = old.mcpServers.first(where: { $0.name == server.name && $0.origin == server.origin && $0.target == server.target })?.detection
            else { continue }
            if before.isLegacy { detection.isLegacy = true }
        }
    }
}
