/// A PEM file, read when the configuration was: what is compared on reload is the contents, so that a renewed certificate
/// under the old path counts as a change. Prints as its path.
public struct PEMFile: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let path: String
    public let contents: [UInt8]

    enum Kind { case certificates, privateKey }

    public var description: String { path }
    public var debugDescription: String { path }
    public var customMirror: Mirror { Mirror(self, children: ["path": path]) }

    /// For a section's blank start; never seen when the key is required.
    static let unset = PEMFile(path: "", contents: [])

    /// Reads the file and looks for the block it should hold (RFC 7468 §2); what the block says is TLS's to judge.
    static func read(_ path: String, _ kind: Kind, _ reading: Reading) throws(Wrong) -> PEMFile {
        let expected = kind == .certificates ? "a PEM file with certificates" : "a PEM file with a private key"
        guard !path.utf8.contains(0), let contents = reading.contents(of: path) else {
            throw Wrong(problem: "the file \(quoted(path)) cannot be read", expected: "expected " + expected)
        }
        let text = String(decoding: contents, as: UTF8.self)
        let found =
            switch kind {
            case .certificates: text.has("-----BEGIN CERTIFICATE-----") || text.has("-----BEGIN TRUSTED CERTIFICATE-----")
            case .privateKey: text.has("PRIVATE KEY-----")
            }
        guard found else { throw Wrong(problem: "the file \(quoted(path)) holds no such thing", expected: "expected " + expected) }
        return PEMFile(path: path, contents: contents)
    }
}

extension Form where Value == PEMFile {
    static func pem(_ kind: PEMFile.Kind) -> Form {
        let expected = kind == .certificates ? "the path of a PEM file with certificates" : "the path of a PEM file with a private key"
        return Form(
            expected,
            read: { node, place, reading in
                guard let path = reading.scalar(node, place, "expected " + expected) else { return nil }
                do throws(Wrong) {
                    return try PEMFile.read(reading.resolved(path), kind, reading)
                } catch {
                    reading.mistake(node.mark, place, error.problem ?? "not PEM", error.expected)
                    return nil
                }
            }, write: { .text($0.path) })
    }
}
