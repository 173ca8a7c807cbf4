public import Configuration
public import HTTP

extension Proxy {
    /// What the environment sends requests to this origin through; nil: nothing.
    public init?(for origin: Origin, by settings: ProxySettings) {
        guard let proxy = settings.proxy(for: origin.isTLS ? .https : .http, host: origin.host, port: origin.port) else { return nil }
        self.init(host: proxy.host, port: proxy.port, credentials: proxy.credentials?.revealed)
    }
}
