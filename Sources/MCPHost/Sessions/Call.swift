import JSONRPC
import MCP

/// A request that waits for its server's answer.
final class Call {
    /// The id by which the server knows it: ours, since requests of several clients may have the same.
    let number: Int64
    /// The client's own id, as it is written, and to be compared with.
    let clientID: [UInt8]
    let id: JSONRPCID
    /// The client's progress token, as it is written; empty where there is none.
    let token: [UInt8]
    let tokenID: JSONRPCID
    let method: MCPMethod
    /// Its client takes an event stream: other messages may come before the answer.
    let takesStream: Bool
    let outlet = Outlet()

    init(_ message: Message, number: Int64, takesStream: Bool) {
        self.number = number
        self.takesStream = takesStream
        clientID = message.text(message.envelope.id)
        id = JSONRPCID(written: clientID)
        token = message.text(message.request?.progressToken ?? 0..<0)
        tokenID = JSONRPCID(written: token)
        method = message.request?.method ?? .other
    }
}

extension JSONRPCID {
    /// An id, or a progress token, which is of the same types.
    init(written text: [UInt8]) {
        self.init()
        keep(unsafe text.span.bytes)  // sound: bytes have no padding
    }
}
