import Foundation
import Testing

@Suite struct `The generated C` {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let hasCompiler = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/protoc-c")
    }

    /// The text without the lines that name the version of protoc-c.
    private func text(_ file: URL) throws -> [Substring] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.contains("PROTOBUF_C_") || !$0.contains("VERSION") }
    }

    @Test(.enabled(if: hasCompiler, "protoc-c (Debian: protobuf-c-compiler) is not installed"))
    func `is what protoc-c makes of the .proto files`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hopspan-otlp-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [Self.root.appending(path: "otel/proto/generate.sh").path, folder.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)

        let kept = Self.root.appending(path: "Sources/C/OTLP")
        for part in ["", "include"] {
            let made = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: part).path).sorted()
            #expect(made == (try FileManager.default.contentsOfDirectory(atPath: kept.appending(path: part).path).sorted()))
            for name in made where name.hasSuffix(".c") || name.hasSuffix(".h") {
                let path = part.isEmpty ? name : "\(part)/\(name)"
                #expect(try text(folder.appending(path: path)) == text(kept.appending(path: path)), "\(path)")
            }
        }
    }
}
