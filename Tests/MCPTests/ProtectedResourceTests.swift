import JSONRPC
import MCP
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct `A challenge` {
    private func rewritten(_ value: String) -> String {
        let (value, url) = (bytes(value), bytes("http://here/x"))
        var result: [UInt8] = []
        ProtectedResource.rewrite(challenge: unsafe value.span.bytes, metadata: unsafe url.span.bytes) { piece in
            unsafe piece.withUnsafeBytes { unsafe result.append(contentsOf: $0) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test(arguments: [
        (#"Bearer resource_metadata="https://there/y""#, #"Bearer resource_metadata="http://here/x""#),
        (#"Bearer error="invalid_token", resource_metadata="https://there/y", scope="a b""#, #"Bearer error="invalid_token", resource_metadata="http://here/x", scope="a b""#),
        (#"Bearer RESOURCE_METADATA = https://there/y,scope="a""#, #"Bearer RESOURCE_METADATA = "http://here/x",scope="a""#),
        (#"Basic realm="x", Bearer resource_metadata="a", DPoP resource_metadata="b\"c""#, #"Basic realm="x", Bearer resource_metadata="http://here/x", DPoP resource_metadata="http://here/x""#),
        // Not what only looks like it.
        (#"Bearer error_description="resource_metadata=\"x\"", x_resource_metadata="y""#, #"Bearer error_description="resource_metadata=\"x\"", x_resource_metadata="y""#),
        ("Bearer", "Bearer"), ("", ""), (#"Bearer resource_metadata"#, #"Bearer resource_metadata"#), (#"Bearer resource_metadata="open"#, #"Bearer resource_metadata="http://here/x""#),
    ]) func `tells of the metadata that is here, and all else as it is`(value: String, expected: String) {
        #expect(rewritten(value) == expected)
    }
}

@Suite struct `The metadata of a protected resource` {
    private func edited(_ text: String) -> String? {
        let (text, url) = (bytes(text), bytes("http://here/mcp/x"))
        guard let edit = ProtectedResource.edit(unsafe text.span.bytes, resource: unsafe url.span.bytes) else { return nil }
        #expect(edit.range == 0..<text.count)
        return String(decoding: edit.bytes, as: UTF8.self)
    }

    @Test func `is the gateway's, with whatever else the server says of itself`() {
        #expect(
            edited(#"{ "resource": "https://there/mcp", "authorization_servers":["https://as"] ,"signed_metadata":"e30.e30.e30","n":1.50}"#)
                == #"{"resource":"http://here/mcp/x","authorization_servers":["https://as"],"n":1.50}"#)
        #expect(edited(#"{"\u0072esource":1,"resource":2}"#) == #"{"resource":"http://here/mcp/x"}"#)
        #expect(edited("{}") == #"{"resource":"http://here/mcp/x"}"#)
    }

    @Test(arguments: ["", "[]", "no JSON", #"{"resource":"x"} y"#, #""x""#]) func `is none where it is no object`(text: String) {
        #expect(edited(text) == nil)
    }
}
