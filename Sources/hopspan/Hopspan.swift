import EventLoop
import Gateway
import Glibc
import HTTP
import LLM
import Tracing

@main struct Hopspan {
    static func main() async throws {
        System.ignoreBrokenPipes()
        System.raiseFileLimit()
        var settings = GatewaySettings()
        let arguments = CommandLine.arguments
        var provider = ProviderSettings(name: "openai", providerName: "openai", dialect: .openai, origin: Origin(isTLS: false, host: "127.0.0.1", port: UInt16(arguments[2])!))
        provider.asksForStreamUsage = true
        settings.providers = [provider]
        let loops = Int(arguments[3])!
        let signal = WorkSignal()
        let queues = (0..<loops).map { _ in SpanQueue { signal.signal() } }
        let gateway = try Gateway(settings, listen: SocketAddress("127.0.0.1", port: UInt16(arguments[1])!)!, queues: queues, catalogue: .bundled)
        _ = Thread.start(named: "store") {
            var n = 0
            while true {
                signal.wait()
                usleep(50_000)
                for queue in queues {
                    let chunks = queue.drain()
                    for chunk in chunks { chunk.forEach { record, entries in n += 1 } }
                    queue.recycle(chunks)
                }
            }
        }
        print("ready \(gateway.address)")
        while true { sleep(1000) }
    }
}
