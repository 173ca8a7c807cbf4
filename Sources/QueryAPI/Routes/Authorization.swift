import HTTP
import Synchronization

/// Who may ask: callers that name this host, come from no other site, and carry the token where there is one. Asked on the api's loop;
/// the rules may be changed from any thread.
final class Authorization: Sendable {
    private struct Rules {
        let hosts: HostCheck
        let isLoopback: Bool
        let token: [UInt8]?

        init(_ settings: QueryAPISettings) {
            hosts = HostCheck(names: settings.hosts, isLoopback: settings.isLoopback)
            isLoopback = settings.isLoopback
            token = settings.token.map { Array($0.utf8) }
        }
    }

    private let rules: Mutex<Rules>

    init(_ settings: QueryAPISettings) { rules = Mutex(Rules(settings)) }

    /// From the next request on.
    func change(to settings: QueryAPISettings) { rules.withLock { $0 = Rules(settings) } }

    func check(_ request: HTTPRequest, _ route: Route?) throws(Problem) {
        let rules = rules.withLock { $0 }
        let isProbe = route?.isProbe ?? false
        // Load balancers know a machine by its address, whatever names are configured.
        if !isProbe || rules.isLoopback, !rules.hosts.accepts(request) {
            throw Problem(
                403,
                "This Host or Origin is not one of this api's. "
                    + (rules.isLoopback
                        ? "It listens on a loopback address, and answers by loopback names only: 127.0.0.1, [::1] or localhost."
                        : "Use a name of api.hosts, or list this one there."))
        }
        guard let token = rules.token, !isProbe else { return }
        guard let field = request.value(of: "authorization"), let given = Self.bearer(field) else {
            throw Self.unauthorized("A token is needed: send Authorization: Bearer with the value of api.token.", #"Bearer realm="hopspan""#)
        }
        guard Self.areEqual(given, token) else {
            throw Self.unauthorized("The token is not the one of api.token. Send that one.", #"Bearer realm="hopspan", error="invalid_token""#)
        }
    }

    private static func unauthorized(_ detail: String, _ challenge: String) -> Problem {
        Problem(401, detail, fields: [HTTPField("www-authenticate", challenge)])
    }

    /// The token of `Bearer …` (RFC 6750 §2.1); the scheme's letter case does not matter.
    private static func bearer(_ field: String) -> [UInt8]? {
        guard let space = field.utf8.firstIndex(of: UInt8(ascii: " ")), field[..<space].lowercased() == "bearer" else { return nil }
        let token = field[space...].utf8.drop { $0 == UInt8(ascii: " ") }
        return token.isEmpty ? nil : Array(token)
    }

    /// Takes as long whatever the bytes are; only the length of what was given shows.
    static func areEqual(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = given.count ^ token.count
        for (index, byte) in given.enumerated() { difference |= Int(byte ^ (token.isEmpty ? 0 : token[index % token.count])) }
        return difference == 0
    }
}
