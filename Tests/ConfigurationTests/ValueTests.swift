@testable import Configuration
import Testing

@Suite struct `Values` {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("65536", 65536), ("64KiB", 65536), ("32MiB", 33_554_432), ("20GiB", 21_474_836_480), ("1TiB", 1 << 40),
        ("", nil), ("KiB", nil), ("1.5MiB", nil), ("1 MiB", nil), ("1MB", nil), ("1mib", nil), ("+1", nil), ("-1", nil), ("0x10", nil), ("١", nil),
        ("9223372036854775807", Int.max), ("9223372036854775808", nil), ("8388608TiB", nil),
    ] as [(String, Int?)]) func `are sizes`(text: String, bytes: Int?) {
        #expect(Size.bytes(text) == bytes)
        if let bytes { #expect(Size.bytes(Size.text(bytes)) == bytes) }
    }

    @Test(arguments: [
        ("200ms", .milliseconds(200)), ("30s", .seconds(30)), ("10m", .seconds(600)), ("1h", .seconds(3600)), ("30d", .seconds(2_592_000)),
        ("1h30m", .seconds(5400)), ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("0s", .zero), ("36500d", .seconds(36500 * 86400)),
        ("", nil), ("30", nil), ("s", nil), ("30 s", nil), ("1.5s", nil), ("-1s", nil), ("1m1h", nil), ("1s1s", nil), ("1us", nil), ("1S", nil),
        ("36501d", nil), ("99999999999999999999d", nil), ("none", nil), ("1sm", nil),
    ] as [(String, Duration?)]) func `are durations`(text: String, duration: Duration?) {
        #expect(Time.duration(text) == duration)
        if let duration { #expect(Time.duration(Time.text(duration)) == duration) }
    }

    @Test(arguments: [(Duration.seconds(60), "60s"), (.seconds(90), "90s"), (.seconds(120), "2m"), (.milliseconds(1500), "1500ms"), (.seconds(86400), "1d"), (.seconds(5400), "90m")])
    func `print durations as people write them`(duration: Duration, text: String) {
        #expect(Time.text(duration) == text)
    }

    @Test(arguments: [
        ("127.0.0.1:8700", "127.0.0.1:8700"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::1]:8700", "[::1]:8700"), ("[0:0::0:1]:1", "[::1]:1"),
        ("localhost:8700", "127.0.0.1:8700"), ("[::]:65535", "[::]:65535"),
        ("127.0.0.1", nil), ("127.0.0.1:", nil), (":8700", nil), ("::1:8700", nil), ("[127.0.0.1]:1", nil), ("127.0.0.1:65536", nil), ("127.1:80", nil),
        ("127.0.0.1:+80", nil), ("[fe80::1%eth0]:1", nil), ("example.com:80", nil), ("127.0.0.1:080000", nil), ("127.0.0.1\0:80", nil),
    ] as [(String, String?)]) func `are addresses to listen on`(text: String, address: String?) {
        #expect(ListenAddress(text)?.description == address)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("0.0.0.0", false), ("::", false), ("128.0.0.1", false),
        ("::2", false), ("::ffff:10.0.0.1", false),
    ]) func `know loopback addresses`(text: String, isLoopback: Bool) {
        #expect(IPAddress(text)?.isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("https://API.openai.com", "https://api.openai.com", "api.openai.com", 443, "/"),
        ("HTTP://127.0.0.1:11434/v1?a=b", "http://127.0.0.1:11434/v1?…", "127.0.0.1:11434", 11434, "/v1?a=b"),
        ("https://[2001:DB8::1]:443/x%2Fy", "https://[2001:db8::1]/x%2Fy", "[2001:db8::1]", 443, "/x%2Fy"),
        ("http://h:80/?", "http://h/?…", "h", 80, "/?"),
    ] as [(String, String, String, UInt16, String)])
    func `are URLs`(text: String, description: String, authority: String, port: UInt16, target: String) throws {
        let url = try HTTPURL(checking: text)
        #expect(url.description == description)
        #expect(url.authority == authority)
        #expect(url.port == port)
        #expect(url.target == target)
    }

    @Test(arguments: [
        "", "http:", "http://", "http:///x", "//h", "ftp://h", "http://h:", "http://h:x", "http://h:99999", "http://a@h", "http://a:b@h", "http://h#f",
        "http://h/a b", "http://h/\u{e9}", "http://h/%", "http://h/%4", "http://h/%4g", "http://h..x", "http://-_.x y", "http://[::1", "http://[1.2.3.4]",
        "http://[::1]x", "http://h\u{0}", "http://h/\n", "http://h\\x", "http://\u{FF20}h",
    ]) func `are not URLs`(text: String) {
        #expect(HTTPURL(text) == nil)
    }

    @Test func `suggest what was meant`() {
        let known = ["max_body", "drain", "listen", "tls"]
        #expect(Spelling.nearest(to: "maxbody", among: known) == "max_body")
        #expect(Spelling.nearest(to: "dria", among: known) == nil)
        #expect(Spelling.nearest(to: "drian", among: known) == "drain")
        #expect(Spelling.nearest(to: "tsl", among: known) == "tls")
        #expect(Spelling.nearest(to: "x", among: known) == nil)
        #expect(Spelling.nearest(to: "--keen", among: ["--keep"]) == "--keep")
        #expect(Spelling.nearest(to: "--ken", among: ["--keep"]) == nil, "dashes are no letters")
        #expect(Spelling.nearest(to: "", among: known) == nil)
    }
}
