public import Synchronization

/// Finished spans on their way from one loop to the store: chunks of bytes behind a lock that is held for a memory copy.
///
/// One queue a loop, so that loops never wait for each other; the store's thread drains them all. It holds at most `limit` bytes:
/// beyond that spans are dropped and counted, because telemetry may fail and traffic must not notice.
public final class SpanQueue: Sendable {
    private struct State: ~Copyable {
        var filling: SpanChunk?
        var full: [SpanChunk] = []
        var spare: [SpanChunk] = []
        var queuedBytes = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    private let wake: @Sendable () -> Void
    private let recordedCount: SpanCount
    private let droppedCount = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - limit: bytes of spans that may wait; 32 MiB are about a second of full load.
    ///   - count: of the spans it takes, perhaps where others find it.
    ///   - wake: called, outside the lock, when the queue stops being empty.
    public init(limit: Int = 32 << 20, count: SpanCount = SpanCount(), wake: @escaping @Sendable () -> Void) {
        self.limit = limit
        recordedCount = count
        self.wake = wake
    }

    public var recorded: UInt64 { recordedCount.value }
    public var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }
    /// Bytes that wait now.
    public var queuedBytes: Int { state.withLock { $0.queuedBytes } }

    /// Takes the draft's record and entries as they are now. False when the queue is full and the span was dropped.
    @discardableResult
    public func record(_ draft: borrowing SpanDraft) -> Bool {
        let record = draft.record
        let (taken, wasEmpty) = draft.withEntries { entries in
            state.withLock { state -> (Bool, Bool) in
                let size = SpanChunk.size(of: entries)
                guard state.queuedBytes + size <= limit else { return (false, false) }
                let wasEmpty = state.queuedBytes == 0
                if let filling = state.filling, !filling.hasRoom(for: size) {
                    state.full.append(filling)
                    state.filling = nil
                }
                let chunk: SpanChunk
                if let filling = state.filling {
                    chunk = filling
                } else {
                    chunk = size <= SpanChunk.usualSize ? state.spare.popLast() ?? SpanChunk() : SpanChunk(capacity: size)
                    state.filling = chunk
                }
                chunk.append(record, entries)
                state.queuedBytes += size
                return (true, wasEmpty)
            }
        }
        guard taken else {
            droppedCount.add(1, ordering: .relaxed)
            return false
        }
        recordedCount.increment()
        if wasEmpty { wake() }
        return true
    }

    /// All chunks that wait, oldest first; the queue is empty afterwards. Give them back with `recycle`.
    public func drain() -> [SpanChunk] {
        state.withLock { state in
            var chunks = state.full
            state.full.removeAll(keepingCapacity: true)
            if let filling = state.filling.take() { chunks.append(filling) }
            state.queuedBytes = 0
            return chunks
        }
    }

    /// Keeps a few drained chunks for the next spans; call when their spans have been read.
    public func recycle(_ chunks: [SpanChunk]) {
        state.withLock { state in
            for chunk in chunks where state.spare.count < 16 && chunk.capacity == SpanChunk.usualSize {
                chunk.clear()
                state.spare.append(chunk)
            }
        }
    }
}

/// How many spans a queue has taken. Its number may stand in memory that outlives the process. Used by any thread.
@safe public final class SpanCount: @unchecked Sendable {
    private let number: UnsafeMutablePointer<Atomic<UInt64>>
    /// Whose memory that is; nil where it is this object's own.
    private let owner: AnyObject?

    public init() {
        unsafe number = .allocate(capacity: 1)
        unsafe number.initialize(to: Atomic(0))
        owner = nil
    }

    /// - Parameter number: valid as long as `owner` is.
    @unsafe public init(at number: UnsafeMutablePointer<Atomic<UInt64>>, in owner: AnyObject) {
        unsafe self.number = number
        self.owner = owner
    }

    deinit { if owner == nil { unsafe number.deallocate() } }

    var value: UInt64 { unsafe number.pointee.load(ordering: .relaxed) }

    func increment() { unsafe number.pointee.add(1, ordering: .relaxed) }
}

/// A run of finished spans. Written by a loop under its queue's lock, then owned by the store's thread alone.
@safe public final class SpanChunk: @unchecked Sendable {
    static let usualSize = 64 << 10
    private let bytes: UnsafeMutableRawBufferPointer
    private var used = 0

    init(capacity: Int = SpanChunk.usualSize) {
        unsafe bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { unsafe bytes.deallocate() }

    var capacity: Int { unsafe bytes.count }
    func hasRoom(for size: Int) -> Bool { unsafe used + size <= bytes.count }
    func clear() { used = 0 }

    private static let recordSize = MemoryLayout<SpanRecord>.size
    static func size(of entries: RawSpan) -> Int { 4 + recordSize + entries.byteCount }

    func append(_ record: SpanRecord, _ entries: RawSpan) {
        // Sound: the caller has asked `hasRoom`; rebasing traps if it has not.
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[used..<used + Self.size(of: entries)])
        unsafe target.storeBytes(of: UInt32(entries.byteCount), as: UInt32.self)
        unsafe target.storeBytes(of: record, toByteOffset: 4, as: SpanRecord.self)
        unsafe entries.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[(4 + Self.recordSize)...]).copyMemory(from: $0)
        }
        used += Self.size(of: entries)
    }

    /// Calls `body` with each span's record and entries, in the order they were recorded.
    public func forEach<Failure: Error>(_ body: (SpanRecord, RawSpan) throws(Failure) -> Void) throws(Failure) {
        var offset = 0
        while offset < used {
            // Sound: `append` wrote exactly this shape, and nobody writes any more.
            let length = unsafe Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let record = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: SpanRecord.self)
            let start = offset + 4 + Self.recordSize
            let entries = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
            try body(record, unsafe entries.bytes)
            offset = start + length
        }
    }
}
