import EventLoop
import HTTP
import LLM
import Tracing

/// One provider as one loop sees it: what to know of it, and this loop's connections to it.
final class Upstream {
    let settings: ProviderSettings
    let pool: UpstreamPool
    /// The name in the path.
    let name: Text
    /// Between a request's target and its first field: version and Host.
    let versionAndHost: Text
    /// What stands before the target in `url.full`: scheme and authority.
    let urlStart: Text
    let providerName: Text
    let host: Text
    let pathPrefix: Text
    /// Asked of a proxy, a target is a whole URL: this and the path (RFC 9112 §3.2.2). Nil where the connection leads to the origin.
    let absolutePrefix: Text?
    /// The field line with the proxy's credentials, where requests are the proxy's to read.
    let proxyAuthorization: Text?
    /// Sent where the caller has none.
    let credential: Credential?
    /// The operator has said how far callers may go: a path must not lead out of the base URL, nor anywhere else with the operator's
    /// credential.
    let confinesPaths: Bool
    let forwardsBaggage: Bool
    /// The fields that name a run, and those that carry a session.
    let runHeaders: [ConfiguredField]
    let sessionHeaders: [ConfiguredField]
    let usageShape: UsageShape

    init(_ settings: ProviderSettings, _ gateway: GatewaySettings, loop: EventLoop, resolver: Resolver, counters: UpstreamPool.Counters) {
        self.settings = settings
        forwardsBaggage = gateway.forwardsBaggage
        runHeaders = gateway.runHeaders.map(ConfiguredField.init)
        sessionHeaders = gateway.sessionHeaders.map(ConfiguredField.init)
        let origin = settings.origin
        let proxy = Proxy(for: origin, by: gateway.proxies)
        pool = UpstreamPool(
            origin: origin, tls: settings.tls ?? gateway.upstreamTLS, proxy: proxy, loop: loop, resolver: resolver, counters: counters)
        absolutePrefix = proxy == nil || origin.isTLS ? nil : Text("http://\(origin.authority)")
        proxyAuthorization = origin.isTLS ? nil : proxy?.authorization.map { Text("proxy-authorization: \($0)\r\n") }
        name = Text(settings.name)
        versionAndHost = Text(" HTTP/1.1\r\nhost: \(origin.authority)\r\n")
        urlStart = Text("\(origin.scheme)://\(origin.authority)")
        providerName = Text(settings.providerName)
        host = Text(settings.origin.host)
        pathPrefix = Text(settings.pathPrefix)
        usageShape = settings.usageShape
        let field = settings.dialect == .anthropic ? .apiKey : settings.known?.credentialField ?? .bearer
        credential = settings.credential.map { Credential($0, in: field) }
        confinesPaths = settings.credential != nil || !settings.pathPrefix.isEmpty
    }
}

extension Upstream {
    func isNamed(_ other: RawSpan) -> Bool {
        let name = name
        return name.bytes.equals(other)
    }
}

/// A text that is written into heads and spans again and again: its UTF-8, once.
@safe final class Text: @unchecked Sendable {
    private let storage: UnsafeRawBufferPointer

    init(_ text: String) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        unsafe copy.copyBytes(from: text.utf8)
        unsafe storage = UnsafeRawBufferPointer(copy)
    }

    deinit { unsafe storage.deallocate() }

    var count: Int { unsafe storage.count }

    /// Valid as long as the text is; hold it in a local of its own.
    var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: the bytes are self's, and nothing changes them.
            unsafe _overrideLifetime(storage.bytes, borrowing: self)
        }
    }
}

extension OutputBuffer {
    func append(_ text: Text) { append(text.bytes) }
}

extension SpanDraft {
    mutating func set(_ attribute: Attribute, _ text: Text) { set(attribute, text.bytes) }
}
