public import TLS

/// Why no connection to an upstream could be had.
public enum ConnectFailure: Error, Equatable, Sendable {
    /// The name has no address.
    case name(String)
    /// Refused, unreachable: the errno of the last address tried.
    case refused(Int32)
    case timedOut
    /// The upstream's certificate, or TLS with it.
    indirect case tls(TLSError)
    /// The proxy on the way to it.
    case proxy(ProxyFailure)
    case callerGone
    case shutdown
}

/// What was wrong with a proxy.
public enum ProxyFailure: Error, Equatable, Sendable {
    /// Its name has no address.
    case name(String)
    /// Refused, unreachable: the errno of the last address tried.
    case refused(Int32)
    /// It answered CONNECT with this status, and not with success.
    case status(Int)
    /// It closed the connection, or sent what is no answer to CONNECT.
    case malformedAnswer
}
