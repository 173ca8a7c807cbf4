import EventLoop
import Glibc

/// Whole files, read and written at once.
enum Files {
    /// No file of ours is longer: configurations, price lists.
    static let longest = 256 << 20

    static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // Sound: the array is as long as it says.
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError(path, errno) }
            if count == 0 { return bytes }
            guard bytes.count + count <= longest else { throw SystemError(path, EFBIG) }
            bytes += piece[..<count]
        }
    }

    /// Writes a file so that readers see the old one or the new one, whole, whatever happens: written beside its place, synced, renamed.
    static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let temporary = "\(path).\(getpid()).new"
        do throws(SystemError) {
            try writeAndSync(bytes, to: temporary)
            guard unsafe rename(temporary, path) == 0 else { throw SystemError(path, errno) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        // The name is on disk once its folder is.
        let folder = unsafe open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func writeAndSync(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError(path, errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            // Sound: `written` is below the count.
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError(path, errno) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw SystemError(path, errno) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
