import EventLoop
import HTTP
import LLM

/// One provider as one loop sees it: what to know of it, and this loop's connections to it.
final class Upstream {
    let settings: ProviderSettings
    let pool: UpstreamPool
    /// The name in the path.
    let name: StaticBytes
    let authority: StaticBytes
    let providerName: StaticBytes
    let host: StaticBytes
    let pathPrefix: StaticBytes
    let v1Prefix: StaticBytes?
    /// The credential's field line, sent where the caller has none.
    let credential: StaticBytes?
    let forwardsBaggage: Bool
    let usageShape: UsageShape

    init(_ settings: ProviderSettings, forwardsBaggage: Bool, loop: EventLoop, resolver: Resolver, counters: UpstreamPool.Counters) {
        self.settings = settings
        self.forwardsBaggage = forwardsBaggage
        pool = UpstreamPool(origin: settings.origin, loop: loop, resolver: resolver, counters: counters)
        name = StaticBytes(settings.name)
        authority = StaticBytes(settings.origin.authority)
        providerName = StaticBytes(settings.providerName)
        host = StaticBytes(settings.origin.host)
        pathPrefix = StaticBytes(settings.pathPrefix)
        v1Prefix = settings.v1Prefix.map(StaticBytes.init)
        usageShape = settings.usageShape
        credential = settings.credential.map { key in
            StaticBytes(settings.dialect == .anthropic ? "x-api-key: \(key)\r\n" : "authorization: Bearer \(key)\r\n")
        }
    }
}

/// A text that is written into heads and spans again and again: its UTF-8, once.
struct StaticBytes: Sendable {
    private let storage: [UInt8]

    init(_ text: String) { storage = Array(text.utf8) }

    var count: Int { storage.count }

    var bytes: RawSpan {
        @_lifetime(borrow self) get { storage.span.bytes }
    }
}
