/// The jobs that are ready to run, first in, first out. A ring on raw memory: the hottest few instructions of a loop.
@safe struct JobQueue: ~Copyable {
    private var ring: UnsafeMutableBufferPointer<UnownedJob>
    private var head = 0
    private(set) var count = 0

    init() { unsafe ring = .allocate(capacity: 1024) }
    // Jobs are trivial values: nothing to deinitialise.
    deinit { unsafe ring.deallocate() }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: UnownedJob) {
        if unsafe count == ring.count { grow() }
        // Sound: the capacity is a power of two and larger than `count`.
        unsafe ring.initializeElement(at: (head &+ count) & (ring.count &- 1), to: job)
        count &+= 1
    }

    mutating func removeFirst() -> UnownedJob {
        precondition(count > 0)
        let job = unsafe ring[head]
        unsafe head = (head &+ 1) & (ring.count &- 1)
        count &-= 1
        return job
    }

    private mutating func grow() {
        let larger = unsafe UnsafeMutableBufferPointer<UnownedJob>.allocate(capacity: ring.count * 2)
        for index in 0..<count { unsafe larger.initializeElement(at: index, to: ring[(head + index) & (ring.count - 1)]) }
        unsafe ring.deallocate()
        unsafe ring = larger
        head = 0
    }
}

/// Tasks asleep, soonest first. Few at a time (exporters' delays, drains), so an ordered array does.
struct SleeperHeap {
    private var sleepers: [(due: UInt64, continuation: Resumption<Void>)] = []

    var nextDue: UInt64 { sleepers.last?.due ?? .max }

    mutating func insert(due: UInt64, _ continuation: Resumption<Void>) {
        let position = sleepers.lastIndex { $0.due >= due }.map { $0 + 1 } ?? 0
        sleepers.insert((due, continuation), at: position)
    }

    mutating func resumeDue(_ now: UInt64) {
        while let last = sleepers.last, last.due <= now {
            sleepers.removeLast()
            last.continuation.resume()
        }
    }
}
