private import Glibc
private import Synchronization
import Tracing

/// How many spans the loops have recorded, in a piece of shared memory (`/dev/shm`) that outlives a killed process. The store says how many
/// of them it has settled (`StoreWriter`): what is between the two was lost. Not on a disk, because loops write there, and no disk may make
/// them wait. After a loss of power it is gone, and the number unknown. Any thread.
@safe final class SpanTally: @unchecked Sendable {
    /// What the process before had recorded. Nil where there is nothing to tell it from.
    let before: UInt64?
    private let page: UnsafeMutableRawPointer
    /// The page's name; nil where it is this process's own.
    private let path: String?
    private let made = Atomic<Int>(0)

    private static let size = 16 << 10
    /// A line of the cache for each count: loops do not write to one another's.
    private static let stride = 64
    static let slots = size / stride - 1

    /// - Parameters:
    ///   - store: its number, so that what another store left in a file of the same place is not taken for its own.
    ///   - file: the store's database; nil where it is in memory.
    init(of store: UInt64, _ file: StoreFile?, folder: String = "/dev/shm") {
        let path = file?.place.map { "\(folder)/hopspan-\($0)" }
        if let path, let page = unsafe Self.map(path) {
            let header = unsafe page.assumingMemoryBound(to: UInt64.self)
            unsafe before = header[0] == store ? Self.recorded(page) : nil
            unsafe page.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
            unsafe header[0] = store
            unsafe self.page = page
            self.path = path
            return
        }
        before = nil
        unsafe page = .allocate(byteCount: Self.size, alignment: Self.stride)
        unsafe page.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
        self.path = nil
    }

    deinit {
        if path == nil { unsafe page.deallocate() } else { unsafe munmap(page, Self.size) }
    }

    /// A page that others of this user's processes can find; nil where the system has no place for it.
    private static func map(_ path: String) -> UnsafeMutableRawPointer? {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_uid == geteuid(), ftruncate(descriptor, off_t(size)) == 0 else { return nil }
        let page = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        // MAP_FAILED, which is a macro.
        return unsafe page == UnsafeMutableRawPointer(bitPattern: -1) ? nil : page
    }

    private static func count(at slot: Int, of page: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Sound: a count has the layout of its number, slots are aligned and inside the page.
        unsafe (page + (slot + 1) * stride).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private static func recorded(_ page: UnsafeMutableRawPointer) -> UInt64 {
        var recorded: UInt64 = 0
        for slot in 0..<slots { unsafe recorded &+= count(at: slot, of: page).pointee.load(ordering: .relaxed) }
        return recorded
    }

    /// The count of one more queue. A machine with more cores than there are places keeps the last counts to itself.
    func makeCount() -> SpanCount {
        let slot = made.add(1, ordering: .relaxed).oldValue
        guard slot < Self.slots else { return SpanCount() }
        return unsafe SpanCount(at: Self.count(at: slot, of: page), in: self)
    }

    /// The process ends in good order: nothing is left to tell.
    func close() {
        if let path { _ = unsafe unlink(path) }
    }
}
