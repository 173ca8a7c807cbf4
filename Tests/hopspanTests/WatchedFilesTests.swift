import Configuration
import Foundation
import Testing

@testable import hopspan

/// A folder of its own that goes with it.
private final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: "hopspan-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// In place, as an editor may.
    func write(_ text: String, to name: String) throws { try text.write(toFile: path(name), atomically: false, encoding: .utf8) }
}

/// A look changes what is watched, which an expectation may not.
private final class Watch {
    private var files: WatchedFiles

    init(_ paths: [String?]) { files = WatchedFiles(paths) }

    func look() -> Bool { files.look() }
    func take() { files.take() }
}

@Suite struct `A file that is watched` {
    @Test func `is taken up when two looks agree, and once`() throws {
        let folder = try Folder()
        try folder.write("a", to: "file")
        let watched = Watch([folder.path("file"), nil])
        #expect(!watched.look() && !watched.look())
        try folder.write("ab", to: "file")
        #expect(!watched.look(), "it may still be written")
        try folder.write("abc", to: "file")
        #expect(!watched.look())
        #expect(watched.look())
        #expect(!watched.look() && !watched.look())
    }

    @Test func `is not taken up half written, though size and time are the same`() throws {
        let folder = try Folder()
        try folder.write("one", to: "file")
        let watched = Watch([folder.path("file")])
        let time = Date(timeIntervalSince1970: 1_800_000_000)
        func write(_ text: String) throws {
            try folder.write(text, to: "file")
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: folder.path("file"))
        }
        try write("two")
        #expect(!watched.look())
        try write("six")
        #expect(!watched.look())
        #expect(watched.look())
    }

    @Test func `is taken up when it comes and when it goes`() throws {
        let folder = try Folder()
        let watched = Watch([folder.path("file")])
        try folder.write("a", to: "file")
        #expect(!watched.look())
        #expect(watched.look())
        try FileManager.default.removeItem(atPath: folder.path("file"))
        #expect(!watched.look())
        #expect(watched.look())
    }

    @Test func `is not taken up where it was put back, or read on request`() throws {
        let folder = try Folder()
        try folder.write("a", to: "file")
        let watched = Watch([folder.path("file")])
        try folder.write("ab", to: "file")
        #expect(!watched.look())
        watched.take()
        #expect(!watched.look() && !watched.look())
    }

    @Test(arguments: ["", "\n", " \n \r\n"]) func `is no configuration for a running program while it is empty`(text: String) throws {
        let folder = try Folder()
        try folder.write(text, to: "hopspan.yaml")
        #expect(throws: Failure.self) { try Configuration.read(folder.path("hopspan.yaml"), environment: [:], isReload: true) }
        #expect(try Configuration.read(folder.path("hopspan.yaml"), environment: [:]).configuration == Configuration())
        try folder.write("# all as by default", to: "hopspan.yaml")
        #expect(try Configuration.read(folder.path("hopspan.yaml"), environment: [:], isReload: true).configuration == Configuration())
    }
}

@Suite struct `What a shell is told` {
    @Test func `is the program's folder, where its name would not find it`() throws {
        let (ours, other) = (try Folder(), try Folder())
        for folder in [ours, other] {
            try folder.write("#!/bin/sh\n", to: "hopspan")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("hopspan"))
        }
        let program = ours.path("hopspan")
        func folder(_ path: String?) -> String? { ProgramFile.folderToAdd(path.map { ["PATH": $0] } ?? [:], program: program) }
        #expect(folder(nil) == ours.url.path)
        #expect(folder("/nowhere:\(other.url.path)") == ours.url.path)
        #expect(folder("\(other.url.path):\(ours.url.path)") == ours.url.path, "another one comes first")
        #expect(folder("/nowhere:\(ours.url.path):\(other.url.path)") == nil)
        #expect(ProgramFile.folderToAdd([:], program: other.path("else")) == nil)
    }
}
