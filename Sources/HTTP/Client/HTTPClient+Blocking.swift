import EventLoop
private import Synchronization
public import TLS

extension HTTPClient {
    /// Sends one request on a loop of its own, which runs on the calling thread until the answer is there: for the command line.
    /// Never from a task or a loop. Without `tls` an `https` origin is judged by the system's trust store.
    public static func sendBlocking(_ request: HTTPClientRequest, tls: TLSContext? = nil) throws(HTTPClientError) -> HTTPClientResponse {
        try blocking(tls: trust(tls, for: request)) { client throws(HTTPClientError) in try await client.send(request) }
    }

    /// `stream`, likewise: the closures are called on the calling thread.
    public static func streamBlocking(
        _ request: HTTPClientRequest, tls: TLSContext? = nil, idle: Duration? = nil, onHead: @escaping @Sendable (HTTPClientResponse) -> Void,
        onPiece: @escaping @Sendable (RawSpan) -> Bool
    ) throws(HTTPClientError) {
        try blocking(tls: trust(tls, for: request)) { client throws(HTTPClientError) in try await client.stream(request, idle: idle, onHead: onHead, onPiece: onPiece) }
    }

    /// Runs a piece of work with a client, on a loop on the calling thread, to its end.
    public static func blocking<Value: Sendable>(
        tls: TLSContext? = nil, _ work: @escaping @Sendable (HTTPClient) async throws(HTTPClientError) -> Value
    ) throws(HTTPClientError) -> Value {
        let loop: EventLoop
        do { loop = try EventLoop(name: "client") } catch { throw .connect(.refused(error.code)) }
        let client = HTTPClient(on: loop, tls: tls)
        let result = Outcome<Value>()
        Task(executorPreference: loop) {
            do throws(HTTPClientError) {
                let value = try await work(client)
                result.set(.success(value))
            } catch {
                result.set(.failure(error))
            }
            await client.close()
            loop.stop()
        }
        loop.run()
        return try result.take().get()
    }

    private static func trust(_ given: TLSContext?, for request: HTTPClientRequest) throws(HTTPClientError) -> TLSContext? {
        guard given == nil, request.origin.isTLS else { return given }
        do { return try TLSContext.client() } catch { throw .connect(.tls(error)) }
    }
}

/// Where a task leaves what it came to.
private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, HTTPClientError>?>(nil)

    func set(_ value: Result<Value, HTTPClientError>) { result.withLock { $0 = value } }
    func take() -> Result<Value, HTTPClientError> { result.withLock { $0 } ?? .failure(.closed) }
}
