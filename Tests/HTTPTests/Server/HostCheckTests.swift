import HTTP
import Testing

@Suite struct `A host check` {
    struct Case: Sendable, CustomTestStringConvertible {
        let host: String?
        let origin: String?
        let loopback: Bool
        let named: Bool
        let any: Bool
        init(_ host: String?, origin: String? = nil, loopback: Bool, named: Bool, any: Bool) {
            (self.host, self.origin, self.loopback, self.named, self.any) = (host, origin, loopback, named, any)
        }
        var testDescription: String { "\(host ?? "none"), origin \(origin ?? "none")" }
    }

    static let cases = [
        Case("localhost", loopback: true, named: false, any: true),
        Case("LocalHost:8701", loopback: true, named: false, any: true),
        Case("127.0.0.1:8701", loopback: true, named: false, any: true),
        Case("127.3.2.1", loopback: true, named: false, any: true),
        Case("[::1]:8701", loopback: true, named: false, any: true),
        Case("127.0.0.1.evil.example", loopback: false, named: false, any: true),
        Case("127.evil.example.com", loopback: false, named: false, any: true),
        Case("localhost.evil.example", loopback: false, named: false, any: true),
        Case("[::1", loopback: false, named: false, any: true),
        Case("evil.example", loopback: false, named: false, any: true),
        Case("hopspan.example:8701", loopback: false, named: true, any: true),
        Case("HOPSPAN.example", loopback: false, named: true, any: true),
        Case(nil, loopback: true, named: true, any: true),
        Case("localhost", origin: "http://localhost:8701", loopback: true, named: false, any: true),
        Case("localhost", origin: "https://evil.example", loopback: false, named: false, any: true),
        Case("localhost", origin: "null", loopback: false, named: false, any: true),
        Case("hopspan.example", origin: "https://hopspan.example", loopback: false, named: true, any: true),
        Case("hopspan.example", origin: "https://evil.example", loopback: false, named: false, any: true),
    ]

    @Test(arguments: cases) func `takes loopback names on loopback, the configured ones elsewhere, by default any`(given: Case) {
        var request = HTTPRequest(.get, "/")
        if let host = given.host { request.fields.append(HTTPField("Host", host)) }
        if let origin = given.origin { request.fields.append(HTTPField("Origin", origin)) }
        #expect(HostCheck(names: nil, isLoopback: true).accepts(request) == given.loopback)
        #expect(HostCheck(names: ["hopspan.example"], isLoopback: true).accepts(request) == given.loopback)
        #expect(HostCheck(names: ["Hopspan.Example"], isLoopback: false).accepts(request) == given.named)
        #expect(HostCheck(names: [], isLoopback: false).accepts(request) == given.any)
    }
}
