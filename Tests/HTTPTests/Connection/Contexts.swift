import EventLoop
import Peers
import TLS

extension EventLoop {
    var inTenSeconds: UInt64 { Clock.system.monotonic + 10_000_000_000 }
}

/// The contexts of the two ends.
enum Contexts {
    static func client() throws -> TLSContext { try .client(trust: .file(Certificates.shared().authority)) }
    static func server(_ name: String = "server") throws -> TLSContext { try .server(Certificates.shared().identity(name)) }
}
