import TLS
import Testing

@Suite struct `A message authenticator` {
    private func hex(_ code: [32 of UInt8]) -> String {
        code.indices.map { index in
            let text = String(code[index], radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    private let key = Array("0123456789abcdef0123456789abcdef".utf8)

    /// As Python's `hmac` makes it of the same parts, each behind its length in eight bytes.
    @Test func `makes the codes of HMAC-SHA256, again and again`() {
        let authenticator = MessageAuthenticator(key: key)
        for _ in 0..<3 {
            #expect(hex(authenticator.code { $0.add("mcp/weather"); $0.add("127.0.0.1"); $0.add("s-1") }) == "420b62c01fba3ba392b7cac824b5e9413dfd4a07ea2323076b0cd777f20b8885")
            #expect(hex(authenticator.code { _ in }) == "796cd3078af14636753d26b3b5555422ff55a3e261cf847b48e95371b9bd0aa2")
        }
    }

    @Test func `tells the same bytes in other parts apart, and other keys`() {
        let authenticator = MessageAuthenticator(key: key)
        let code = hex(authenticator.code { $0.add("ab"); $0.add("c") })
        #expect(code != hex(authenticator.code { $0.add("a"); $0.add("bc") }))
        #expect(code != hex(authenticator.code { $0.add("abc") }))
        #expect(code != hex(MessageAuthenticator(key: key.reversed()).code { $0.add("ab"); $0.add("c") }))
    }

    @Test func `compares`() {
        let (one, two, three) = (Array("abc".utf8), Array("abd".utf8), Array("ab".utf8))
        #expect(MessageAuthenticator.areEqual(unsafe one.span.bytes, unsafe one.span.bytes))
        #expect(!MessageAuthenticator.areEqual(unsafe one.span.bytes, unsafe two.span.bytes))
        #expect(!MessageAuthenticator.areEqual(unsafe one.span.bytes, unsafe three.span.bytes))
    }
}
