import Configuration
import Testing

@Suite struct `The proxy environment` {
    private func settings(_ environment: [String: String]) throws -> ProxySettings {
        try Configuration.load(file: nil, environment: environment, read: { _ in nil }).configuration.proxies
    }

    @Test(arguments: [
        ("http://proxy:3128", "proxy", 3128, nil), ("proxy:3128", "proxy", 3128, nil), ("http://proxy", "proxy", 80, nil),
        ("http://[::1]:3128/", "::1", 3128, nil), ("http://user:p%40ss:w@proxy:1", "proxy", 1, "user:p@ss:w"), ("user@proxy", "proxy", 80, "user:"),
        ("HTTP://a@b:c@proxy:8080", "proxy", 8080, "a@b:c"),
    ] as [(String, String, UInt16, String?)])
    func `gives host, port and credentials`(text: String, host: String, port: UInt16, credentials: String?) throws {
        let proxy = try #require(try settings(["HTTPS_PROXY": text]).proxy(for: .https, host: "api.openai.com", port: 443))
        #expect(proxy.host == host)
        #expect(proxy.port == port)
        #expect(proxy.credentials?.revealed == credentials)
        #expect(proxy.credentials == nil || "\(proxy)".contains("env:HTTPS_PROXY"))
    }

    @Test func `goes by the scheme, and the lower-case spelling wins`() throws {
        let settings = try settings(["HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:2", "HTTP_PROXY": "http://plain:3"])
        #expect(settings.proxy(for: .https, host: "h", port: 443)?.host == "lower")
        #expect(settings.proxy(for: .http, host: "h", port: 80)?.host == "plain")
        #expect(ProxySettings().proxy(for: .http, host: "h", port: 80) == nil)
    }

    /// NO_PROXY, host, port, whether the proxy is used.
    @Test(arguments: [
        ("", "example.com", 443, true),
        ("*", "example.com", 443, false),
        ("example.com", "example.com", 443, false),
        ("example.com", "EXAMPLE.com.", 443, false),
        ("example.com", "api.example.com", 443, false),
        ("example.com", "badexample.com", 443, true),
        ("example.com", "example.com.evil.net", 443, true),
        (".example.com", "api.example.com", 443, false),
        (".example.com", "example.com", 443, false),
        ("*.example.com", "api.example.com", 443, false),
        ("a.com, example.com b.com", "example.com", 443, false),
        ("example.com:8443", "example.com", 8443, false),
        ("example.com:8443", "example.com", 443, true),
        ("10.0.0.0/8", "10.200.3.4", 443, false),
        ("10.0.0.0/8", "11.0.0.1", 443, true),
        ("10.0.0.0/8", "10.example.com", 443, true),
        ("0.0.0.0/0", "8.8.8.8", 443, false),
        ("0.0.0.0/0", "2001:db8::1", 443, true),
        ("192.168.1.7", "192.168.1.7", 443, false),
        ("192.168.1.7:80", "192.168.1.7", 443, true),
        ("192.168.1.7", "::ffff:192.168.1.7", 443, false),
        ("2001:db8::/32", "2001:db8::5", 443, false),
        ("2001:db8::/32", "[2001:db8::5]", 443, false),
        ("2001:db8::/32", "2001:db9::5", 443, true),
        ("[2001:db8::5]:8443", "2001:db8::5", 8443, false),
        ("[2001:db8::5]:8443", "2001:db8::5", 443, true),
        ("10.0.0.0/33,::/129,/8,!!", "10.0.0.1", 443, true),
        ("1.2.3.4", "1.2.3.4.example.com", 443, true),
        ("", "localhost", 11434, false),
        ("", "LOCALHOST", 11434, false),
        ("", "ollama.localhost", 11434, false),
        ("", "127.0.0.1", 11434, false),
        ("", "127.9.9.9", 11434, false),
        ("", "[::1]", 11434, false),
        ("", "::ffff:127.0.0.1", 11434, false),
        ("", "127.example.com", 443, true),
    ] as [(String, String, UInt16, Bool)])
    func `has exceptions`(list: String, host: String, port: UInt16, isUsed: Bool) throws {
        let settings = try settings(["HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": list])
        #expect((settings.proxy(for: .https, host: host, port: port) != nil) == isUsed)
    }
}
