import HTTP

extension Worker {
    /// Passes an interim answer on (RFC 9110 §15.2): `103 Early Hints` and its like. `100` answers an `Expect` that was answered here
    /// already, and HTTP/1.0 clients know no interim answers.
    func passInterim(_ exchange: Exchange, _ downstream: HTTP1Connection) async throws(GatewayError) {
        guard exchange.answer.status != 100, exchange.request.minorVersion >= 1 else { return }
        exchange.writeInterimHead()
        let output = exchange.output
        try await write(output.bytes, of: exchange, to: downstream)
    }
}
