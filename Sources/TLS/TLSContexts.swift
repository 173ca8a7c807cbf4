private import COpenSSL
private import Glibc
internal import Synchronization

/// The client contexts of a program, one for each trust: origins that trust the same share it, and with it memory and sessions.
///
/// A context is kept as long as the files it was read from look the same, so that a reload of the configuration costs only what has
/// changed. Asked on a thread that may read files.
public final class TLSContexts: Sendable {
    private struct Known {
        let context: TLSContext
        let files: [FileMark]
    }

    private let known = Mutex<[TLSTrust: Known]>([:])

    public init() {}

    /// The context for this trust: the one from before, or a new one where there is none or its files have changed.
    public func client(trusting trust: TLSTrust = .system) throws(TLSError) -> TLSContext {
        try known.withLock { known throws(TLSError) in
            // Before the files are read: a change in between makes one context too many, not one too few.
            let files = trust.files.map(FileMark.init)
            if let kept = known[trust], kept.files == files { return kept.context }
            let context = try TLSContext.client(trust: trust)
            known[trust] = Known(context: context, files: files)
            return context
        }
    }
}

extension TLSTrust {
    /// Debian's store as one file; the folder it lies in is the rest of the store.
    static var systemBundle: String { unsafe String(cString: X509_get_default_cert_dir()) + "/ca-certificates.crt" }

    /// Where its certificates come from: files, and folders, which change when a file in them comes, goes or is replaced.
    fileprivate var files: [String] {
        switch self {
        case .file(let path): [path]
        case .system:
            // Sound: texts of OpenSSL's that live as long as the process.
            unsafe [Self.variable("SSL_CERT_FILE") ?? String(cString: X509_get_default_cert_file()), Self.systemBundle]
                + (Self.variable("SSL_CERT_DIR") ?? String(cString: X509_get_default_cert_dir())).split(separator: ":").map(String.init)
        }
    }

    private static func variable(_ name: String) -> String? {
        // Sound: copied at once, and nothing in this program changes the environment.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// What shows that a file is another than before, or has been written to; all zeroes for one that is not there.
private struct FileMark: Equatable {
    private var device: UInt = 0
    private var inode: UInt = 0
    private var size = 0
    private var seconds = 0
    private var nanoseconds = 0

    init(_ path: String) {
        var status = unsafe stat()
        guard unsafe stat(path, &status) == 0 else { return }
        (device, inode, size) = (UInt(status.st_dev), UInt(status.st_ino), Int(status.st_size))
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
