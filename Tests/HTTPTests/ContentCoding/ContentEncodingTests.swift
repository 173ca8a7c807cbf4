import HTTP
import Testing

@Suite struct `A Content-Encoding field` {
    @Test(arguments: [
        ([], .identity),
        (["gzip"], .coded(.gzip)),
        (["x-gzip"], .coded(.gzip)),
        (["GZip"], .coded(.gzip)),
        ([" deflate\t"], .coded(.deflate)),
        (["identity"], .identity),
        ([""], .identity),
        ([", ,gzip,"], .coded(.gzip)),
        (["identity, gzip"], .coded(.gzip)),
        (["br"], .unreadable),
        (["zstd"], .unreadable),
        (["gzipp"], .unreadable),
        (["*"], .unreadable),
        (["gzip, gzip"], .unreadable),
        (["deflate", "gzip"], .unreadable),
        (["identity", "gzip"], .coded(.gzip)),
        (["br", "gzip"], .unreadable),
    ] as [([String], ContentEncoding)])
    func `says what the body is`(lines: [String], encoding: ContentEncoding) {
        var read = ContentEncoding.identity
        for line in lines { read.add(line.utf8Span.span.bytesOfUInt8) }
        #expect(read == encoding)
    }
}

@Suite struct `An Accept-Encoding field` {
    @Test(arguments: [
        // What the OpenAI and Anthropic clients (httpx), curl, and browsers send.
        (["gzip, deflate"], "gzip, deflate"),
        (["gzip, deflate, br, zstd"], "gzip, deflate"),
        (["gzip, deflate, br"], "gzip, deflate"),
        // Only what was offered.
        (["gzip"], "gzip"),
        (["x-gzip"], "gzip"),
        (["deflate"], "deflate"),
        (["br"], "identity"),
        (["identity"], "identity"),
        ([""], "identity"),
        ([], "identity"),
        (["gzip;q=0"], "identity"),
        (["gzip;q=0, deflate"], "deflate"),
        (["DEFLATE , GZIP"], "gzip, deflate"),
        (["br", "gzip"], "gzip"),
        // Weights stay.
        (["gzip;q=1.0, deflate;q=0.6, *;q=0.3"], "gzip, deflate;q=0.6, identity;q=0.3"),
        (["gzip;q=0.8, identity; q=0.5, br;q=1"], "gzip;q=0.8, identity;q=0.5"),
        (["gzip ; Q=0.125"], "gzip;q=0.125"),
        (["deflate;q=0.050"], "deflate;q=0.05"),
        (["gzip;q=0.007, deflate;q=0.999, identity;q=0.101"], "gzip;q=0.007, deflate;q=0.999, identity;q=0.101"),
        // The star stands for what is not named.
        (["*"], "gzip, deflate, identity"),
        (["*;q=0.5, gzip;q=0"], "deflate;q=0.5, identity;q=0.5"),
        (["gzip, *;q=0"], "gzip, identity;q=0"),
        (["br, *;q=0"], "identity;q=0"),
        (["gzip, identity;q=0"], "gzip, identity;q=0"),
        // Malformed weights: as if the coding had not been offered.
        (["gzip;q=1.5, deflate"], "deflate"),
        (["gzip;q=, deflate"], "deflate"),
        (["gzip;q=0.1234, deflate"], "deflate"),
        (["gzip;q=a, deflate"], "deflate"),
        (["gzip;level=9, deflate"], "deflate"),
        (["gzip;q=1.001, deflate"], "deflate"),
        // The first mention counts.
        (["gzip;q=0.5, gzip;q=0.9"], "gzip;q=0.5"),
    ] as [([String], String)])
    func `is narrowed to what can be read here`(lines: [String], sent: String) {
        var accept = AcceptEncoding()
        for line in lines { accept.add(line.utf8Span.span.bytesOfUInt8) }
        let narrowed = accept.withNarrowed { bytes in unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
        #expect(narrowed == sent)
    }
}
