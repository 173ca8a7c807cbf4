import EventLoop

/// Messages on their way to a client: put in by whoever has them, taken out by the one task that writes an answer. Confined to the
/// host's loop.
final class Outlet {
    /// A message as it goes out.
    struct Item {
        let message: [UInt8]
        /// Nothing comes behind it.
        let isLast: Bool
    }

    private var items: [Item] = []
    private var taken = 0
    /// Bytes that wait.
    private(set) var byteCount = 0
    /// Nothing more will be put in.
    private(set) var isOver = false
    /// Nobody takes anything any more.
    private(set) var isLeft = false
    private var waiting: Resumption<Void>?
    /// Called when something has been taken out.
    var onTaken: (() -> Void)?

    var count: Int { items.count - taken }

    func put(_ message: [UInt8], isLast: Bool = false) {
        guard !isOver else { return }
        isOver = isLast
        items.append(Item(message: message, isLast: isLast))
        byteCount += message.count
        wake()
    }

    /// The next, waited for; nil when nothing more will come, or nobody is there to take it.
    func next() async -> Item? {
        while true {
            if isLeft { return nil }
            if let item = takeFirst() { return item }
            if isOver { return nil }
            precondition(waiting == nil, "two tasks write one answer")
            await suspend { waiting = $0 }
        }
    }

    /// Takes out the oldest, if there is one.
    func takeFirst() -> Item? {
        guard taken < items.count else { return nil }
        let item = items[taken]
        taken += 1
        byteCount -= item.message.count
        if taken == items.count {
            items.removeAll()
            taken = 0
        } else if taken >= 64 {
            items.removeFirst(taken)
            taken = 0
        }
        onTaken?()
        return item
    }

    /// Puts back what was taken out and could not be delivered.
    func putBack(_ item: Item) {
        items.insert(item, at: taken)
        byteCount += item.message.count
    }

    /// Nothing more will come: what waits still goes out.
    func finish() {
        isOver = true
        wake()
    }

    /// Nobody will take anything any more.
    func leave() {
        isLeft = true
        wake()
    }

    /// Somebody takes again.
    func enter() { isLeft = false }

    private func wake() {
        guard let resumed = waiting else { return }
        waiting = nil
        resumed.resume()
    }
}
