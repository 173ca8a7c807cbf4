extension Configuration {
    /// The listener for agents.
    public struct Gateway: Sendable, Hashable {
        /// Address and port; 0 takes a free one. Default 127.0.0.1:8700.
        public var listen = ListenAddress(IPAddress(v4: 0x7F00_0001), port: 8700)
        /// TLS on this listener. Default none.
        public var tls: TLSFiles?
        /// The largest request body that is read whole, in bytes. Default 32 MiB.
        public var maxBody = 32 << 20
        /// How long running exchanges may take to end after SIGTERM. Default 30 s.
        public var drain: Duration = .seconds(30)
        /// Only callers with a virtual key. Default false.
        public var requireKey = false
        /// Host names that callers use, in lower case, without ports. Empty, the default: any.
        public var hosts: [String] = []

        public init() {}
    }

    /// A listener's certificate.
    public struct TLSFiles: Sendable, Hashable {
        /// The chain, the listener's own certificate first.
        public var certificate = PEMFile.unset
        public var key = PEMFile.unset
        /// Who signs the clients' certificates; when set, a client without one is refused. Default none.
        public var clientCA: PEMFile?

        public init() {}
    }
}

extension Configuration.Gateway {
    static let form = Form<Self>.section(
        "keys of the gateway listener",
        [
            Field("listen", \.listen, .listenAddress, restart: true, "Address and port. Port 0 takes a free one."),
            Field("tls", \.tls, Configuration.TLSFiles.form.optional, "TLS on this listener."),
            Field(
                "max_body", \.maxBody, .size(atLeast: 1024),
                """
                The largest request body that is read whole before it is sent on (LLM, MCP and A2A calls); a larger one is answered 413. Other \
                bodies stream and have no limit.
                """),
            Field(
                "drain", \.drain, .duration(atLeast: .zero),
                "How long running exchanges may take to end after SIGTERM. New connections are refused meanwhile."),
            Field("require_key", \.requireKey, .flag, "true: only callers with a virtual key."),
            Field(
                "hosts", \.hosts, .list(.hostName, "a list of names such as [hopspan.example.com]"), example: "[hopspan.example.com]",
                """
                The names callers use in Host and Origin, without ports; others are refused where the gateway injects credentials. Default: any. \
                On a loopback address only loopback names are taken, whatever stands here.
                """),
        ], defaults: Self(),
        check: { gateway, node, place, reading in
            if let hosts = node["hosts"], !gateway.hosts.isEmpty, gateway.listen.isLoopback {
                reading.warn(hosts.mark, place.key("hosts"), "has no effect while gateway.listen is a loopback address")
            }
        })
}

extension Configuration.TLSFiles {
    static let form = Form<Self>.section(
        "certificate and key",
        [
            Field(
                "certificate", \.certificate, .pem(.certificates), required: true, example: "cert.pem",
                "The certificate chain, PEM, the listener's own first. Paths in this file start from the file's own folder."),
            Field("key", \.key, .pem(.privateKey), required: true, example: "key.pem", "Its private key, PEM."),
            Field(
                "client_ca", \.clientCA, Form.pem(.certificates).optional, example: "ca.pem",
                "Who signs the clients' certificates, PEM. When it is set, a client without one is refused."),
        ], defaults: Self())
}
