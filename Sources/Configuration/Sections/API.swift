extension Configuration {
    /// The listener for people and tools.
    public struct API: Sendable, Hashable {
        /// Address and port; 0 takes a free one. Default 127.0.0.1:8701.
        public var listen = ListenAddress(IPAddress(v4: 0x7F00_0001), port: 8701)
        /// What `Authorization: Bearer` must carry. Default none, which only a loopback address may have.
        public var token: Secret?
        /// Host names that callers use, in lower case, without ports. Empty, the default: any.
        public var hosts: [String] = []

        public init() {}
    }
}

extension Configuration.API {
    static let form = Form<Self>.section(
        "keys of the api listener",
        [
            Field("listen", \.listen, .listenAddress, restart: true, "Address and port. Port 0 takes a free one."),
            Field(
                "token", \.token, Form.secret.optional, example: "env:HOPSPAN_API_TOKEN",
                """
                What callers must send as `Authorization: Bearer …`; a reference, never the token itself. Required where the address is not \
                loopback. /healthz and /readyz need none.
                """),
            Field(
                "hosts", \.hosts, .list(.hostName, "a list of names such as [hopspan.example.com]"), example: "[hopspan.example.com]",
                """
                The names callers use in Host and Origin, without ports; others are refused. Default: any. On a loopback address only loopback \
                names are taken, whatever stands here.
                """),
        ], defaults: Self(),
        check: { api, node, place, reading in
            if let hosts = node["hosts"], !api.hosts.isEmpty, api.listen.isLoopback {
                reading.warn(hosts.mark, place.key("hosts"), "has no effect while api.listen is a loopback address")
            }
            if let listen = node["listen"], !api.listen.isLoopback, node["token"] == nil {
                reading.mistake(
                    listen.value.mark, place.key("listen"), "\(api.listen) is open to others than this machine, and api.token is not set",
                    "set api.token, or listen on 127.0.0.1")
            }
        })
}
