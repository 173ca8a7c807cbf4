import Glibc

/// Files whose change is noticed once it is over: when two looks, a second or so apart, find the same that was not there before. What is
/// being written is left alone until its writer rests.
struct WatchedFiles {
    /// What a look at a file's entry shows; all zeroes for one that is not there.
    private struct Mark: Equatable {
        var seconds = 0
        var nanoseconds = 0
        var size = 0
        var inode: UInt = 0
    }

    private struct Look: Equatable {
        var marks: [Mark]
        /// A writer may leave size and time as they were.
        var contents: [Int]
    }

    private let paths: [String]
    private var taken: [Mark]
    /// The last look, where it found something that has not been taken.
    private var last: Look?

    init(_ paths: [String?]) {
        self.paths = paths.compactMap { $0 }
        taken = self.paths.map(Self.mark)
    }

    /// Whether something has changed, and is now as it was at the last look.
    mutating func look() -> Bool {
        let marks = paths.map(Self.mark)
        guard marks != taken else {
            last = nil
            return false
        }
        let now = Look(marks: marks, contents: paths.map { path in (try? Files.read(path)).hashValue })
        guard now == last else {
            last = now
            return false
        }
        (taken, last) = (marks, nil)
        return true
    }

    /// What is there now is taken as it is.
    mutating func take() { (taken, last) = (paths.map(Self.mark), nil) }

    private static func mark(_ path: String) -> Mark {
        var status = unsafe stat()
        guard unsafe stat(path, &status) == 0 else { return Mark() }
        return unsafe Mark(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size), inode: UInt(status.st_ino))
    }
}
