// swift-tools-version: 6.2
// The map's legend: every room, what it may know, and the settings all of them share.
// `Tests/TidyTests` keeps the arrows true in the sources as well.

import Foundation
import PackageDescription

// No package dependencies, by design: the toolchain and system C libraries only (see Sources/README.md).

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // helpers stay on the caller's loop
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),  // readers that hold a RawSpan (JSON, SSE): non-escapable, no copies, no pointers
    .strictMemorySafety(),
    .treatWarning("StrictMemorySafety", as: .error),
    // Dynamic exclusivity checks are a fifth of the instructions on the request path; tests run with them on.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A Swift room under `Sources/`, with the rooms and C libraries below it that it may import.
func room(_ name: String, _ below: String...) -> Target {
    .target(name: name, dependencies: below.map { .init(stringLiteral: $0) }, exclude: readme("Sources/\(name)"), swiftSettings: swiftSettings)
}

/// The tests of one room; `Tests/<Room>Tests` mirrors `Sources/<Room>`.
func tests(_ name: String, _ rooms: String...) -> Target {
    let fixtures = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/Tests/\(name)/Fixtures")
    return .testTarget(
        name: name, dependencies: rooms.map { .init(stringLiteral: $0) }, path: "Tests/\(name)",
        exclude: readme("Tests/\(name)") + (fixtures ? ["Fixtures"] : []), swiftSettings: swiftSettings)
}

/// A C library of the system: a module map and a shim header under `Sources/C`.
func library(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: "C\(name)", path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func readme(_ folder: String) -> [String] {
    FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(folder)/README.md") ? ["README.md"] : []
}

let targets: [Target] = [
    // C: module maps, shims, generated or embedded files.
    .target(name: "CLinux", path: "Sources/C/Linux"),
    library("OpenSSL", pkgConfig: "openssl", debian: "libssl-dev"),
    library("Zlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
    library("ISAL", pkgConfig: "libisal", debian: "libisal-dev"),
    library("SQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
    library("YAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
    library("ProtobufC", pkgConfig: "libprotobuf-c", debian: "libprotobuf-c-dev"),
    .target(name: "COTLP", dependencies: ["CProtobufC"], path: "Sources/C/OTLP"),
    .target(name: "CPriceCatalogue", path: "Sources/C/PriceCatalogue", exclude: ["README.md", "prices.json"]),
    .target(name: "COpenAPI", path: "Sources/C/OpenAPI", exclude: ["openapi.json"]),

    // Rooms, bottom up.
    room("Tracing"),
    room("JSON"),
    room("Content", "JSON"),
    room("Policy"),
    room("JSONRPC", "JSON"),
    room("EventLoop", "CLinux"),
    room("TLS", "EventLoop", "COpenSSL"),
    room("HTTP", "EventLoop", "TLS", "CZlib"),
    room("Deflate", "CISAL"),
    room("LLM", "Tracing", "JSON", "Content", "HTTP", "CPriceCatalogue"),
    room("MCP", "Tracing", "JSON", "Content", "JSONRPC", "HTTP"),
    room("A2A", "Tracing", "JSON", "Content", "JSONRPC", "HTTP"),
    room("MCPHost", "Tracing", "JSON", "JSONRPC", "MCP", "EventLoop", "TLS", "HTTP"),
    room("OTLP", "Tracing", "JSON", "COTLP"),
    room("Runs", "Tracing", "OTLP", "JSON"),
    room("Store", "Tracing", "OTLP", "Runs", "Deflate", "CSQLite"),
    room("Export", "Tracing", "OTLP", "Store", "Deflate", "HTTP", "TLS", "EventLoop"),
    room("Configuration", "Tracing", "Policy", "CYAML"),
    room("Gateway", "Tracing", "JSON", "Content", "Policy", "JSONRPC", "EventLoop", "TLS", "HTTP", "LLM", "MCP", "A2A", "Configuration"),
    room("QueryAPI", "Tracing", "JSON", "EventLoop", "HTTP", "OTLP", "Runs", "Store", "LLM", "COpenAPI"),
    room("Terminal"),
    room("Commands", "Tracing", "JSON", "LLM", "Configuration", "Terminal"),
    room("Demo", "JSON", "EventLoop", "HTTP"),
    .executableTarget(
        name: "hopspan",
        dependencies: [
            "Tracing", "JSON", "Content", "EventLoop", "TLS", "HTTP", "LLM", "OTLP", "Runs", "Deflate", "Store", "Export", "Configuration", "Gateway", "QueryAPI", "Terminal", "Commands",
            "Demo", "MCPHost",
        ],
        swiftSettings: swiftSettings),

    // Proofs. `Peers` is what stands at the other end in them: certificates, openssl(1), sockets that block.
    .target(name: "Peers", dependencies: ["TLS", "EventLoop"], path: "Tests/Peers", swiftSettings: swiftSettings),
    .executableTarget(name: "Stress", dependencies: ["Tracing", "Runs", "EventLoop"], path: "Tests/Stress", swiftSettings: swiftSettings),
    tests("TracingTests", "Tracing"),
    tests("JSONTests", "JSON"),
    tests("ContentTests", "Content"),
    tests("PolicyTests", "Policy"),
    tests("JSONRPCTests", "JSONRPC", "JSON"),
    tests("MCPTests", "MCP", "JSONRPC", "Content", "JSON", "Tracing"),
    tests("A2ATests", "A2A", "JSONRPC", "JSON", "HTTP", "Tracing"),
    tests("MCPHostTests", "MCPHost", "JSON", "HTTP", "EventLoop", "Peers"),
    tests("EventLoopTests", "EventLoop", "Peers"),
    tests("TLSTests", "TLS", "EventLoop", "Peers"),
    tests("HTTPTests", "HTTP", "Deflate", "EventLoop", "TLS", "Peers"),
    tests("LLMTests", "LLM", "JSON", "Content", "Tracing"),
    tests("OTLPTests", "OTLP", "Tracing", "JSON", "COTLP"),
    tests("RunsTests", "Runs", "Tracing", "OTLP"),
    tests("StoreTests", "Store", "Deflate", "Runs", "OTLP", "Tracing"),
    tests("ExportTests", "Export", "Store", "HTTP", "OTLP", "Tracing", "EventLoop", "TLS", "Peers"),
    tests("ConfigurationTests", "Configuration", "Tracing"),
    tests("GatewayTests", "Gateway", "Content", "Policy", "HTTP", "Deflate", "EventLoop", "TLS", "Tracing", "LLM", "OTLP", "JSON", "Configuration", "Peers"),
    tests("QueryAPITests", "QueryAPI", "Store", "Runs", "OTLP", "HTTP", "EventLoop", "Tracing", "JSON"),
    tests("TerminalTests", "Terminal"),
    tests("CommandsTests", "Commands", "Terminal", "JSON", "LLM", "Configuration", "Tracing"),
    tests("DemoTests", "Demo", "JSON", "LLM", "HTTP", "EventLoop"),
    tests("hopspanTests", "hopspan", "Commands", "MCPHost", "Configuration", "Gateway", "Export", "QueryAPI", "Store", "TLS", "LLM", "HTTP", "EventLoop", "Peers"),
    tests("TidyTests"),
]

let package = Package(name: "hopspan", targets: targets, cLanguageStandard: .c2x)
