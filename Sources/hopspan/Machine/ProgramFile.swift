import Glibc

/// Where this program lies, and whether a shell finds it by its name.
enum ProgramFile {
    /// The folder to put on the PATH so that `hopspan` is this program; nil where it is already, or goes by another name.
    static func folderToAdd(_ environment: [String: String], program: String? = nil) -> String? {
        guard let file = program ?? running, let slash = file.lastIndex(of: "/"), file[file.index(after: slash)...] == "hopspan", let ours = Identity(file) else { return nil }
        // The first that a shell could run is the one it runs.
        let first = (environment["PATH"] ?? "").split(separator: ":").map { folder -> String in "\(folder)/hopspan" }.first { unsafe access($0, X_OK) == 0 }
        if let first, Identity(first) == ours { return nil }
        return String(file[..<slash])
    }

    private static var running: String? {
        // Sound: the text is made for us, ends with a zero, and is copied before it is freed.
        guard let path = unsafe realpath("/proc/self/exe", nil) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    private struct Identity: Equatable {
        let device: UInt
        let inode: UInt

        init?(_ path: String) {
            var status = unsafe stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            (device, inode) = (UInt(status.st_dev), UInt(status.st_ino))
        }
    }
}
