import HTTP
import TLS

// No connection to an upstream, in words: what was wrong, and which key or variable mends it.
extension GatewayError {
    static func message(_ failure: ConnectFailure, _ place: ConfigurationPlace) -> String {
        let provider = place.name
        return switch failure {
        case .name(let reason): "The host of \(provider) has no address (\(reason)). Check \(place.path).\(place.address) and the name server."
        case .refused: "No connection to \(provider) could be made. Check that it is up and that \(place.path).\(place.address) is right."
        case .timedOut: "No connection to \(provider) could be made in time. Check that it is up and can be reached from here, or raise \(place.path).timeout.connect."
        case .tls(let error): message(error, place)
        case .proxy(let failure): message(failure, provider)
        case .callerGone: GatewayError.callerGone.message(place)
        case .shutdown: GatewayError.shutdown.message(place)
        }
    }

    private static func message(_ error: TLSError, _ place: ConfigurationPlace) -> String {
        let provider = place.name
        let reason = error.reason
        return switch error {
        case .unknownAuthority, .selfSigned:
            "The certificate of \(provider) is from nobody this gateway trusts (\(reason)). If this is the right server, name the certificate of its authority in \(place.path).ca."
        case .hostnameMismatch:
            "The certificate of \(provider) is for another host (\(reason)). Check the host in \(place.path).\(place.address)."
        case .certificateExpired, .certificateNotYetValid:
            "The certificate of \(provider) does not hold now (\(reason)). It must be renewed, unless this machine's clock is wrong."
        case .certificateRevoked, .certificateRefused, .certificateMissing:
            "The certificate of \(provider) cannot be accepted (\(reason)). If this is the right server, name its certificate in \(place.path).ca."
        case .alert:
            "\(provider) refused the TLS connection (\(reason)). Check the host in \(place.path).\(place.address)."
        case .protocolError:
            "\(provider) does not speak TLS as it is spoken here (\(reason)). Check scheme and port of \(place.path).\(place.address)."
        case .connectionLost:
            "\(provider) broke the connection off during the TLS handshake (\(reason)). Check scheme and port of \(place.path).\(place.address)."
        case .unreadableFile, .malformedFile, .keyMismatch, .unavailable:
            "TLS with \(provider) cannot be set up here (\(reason)). Check \(place.path).ca."
        }
    }

    private static func message(_ failure: ProxyFailure, _ provider: String) -> String {
        switch failure {
        case .name(let reason):
            "The proxy on the way to \(provider) has no address (\(reason)). Check HTTPS_PROXY and HTTP_PROXY, or name the host of \(provider) in NO_PROXY."
        case .refused:
            "No connection to the proxy on the way to \(provider) could be made. Check HTTPS_PROXY and HTTP_PROXY, or name the host of \(provider) in NO_PROXY."
        case .status(407):
            "The proxy on the way to \(provider) wants credentials (407). Put the right ones into HTTPS_PROXY: http://user:password@host:port."
        case .status(let status):
            "The proxy on the way to \(provider) refused to connect to it (\(status)). It must allow this host, or NO_PROXY must name it."
        case .malformedAnswer:
            "The proxy on the way to \(provider) did not answer as one. Check host and port in HTTPS_PROXY."
        }
    }
}
