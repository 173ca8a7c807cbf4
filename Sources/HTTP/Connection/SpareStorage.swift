/// Storage of heads and of output that an exchange which lasts long does without, for those that begin. One a loop.
@safe public final class SpareStorage {
    fileprivate var heads: [(bytes: UnsafeMutableRawBufferPointer, fields: UnsafeMutableBufferPointer<MessageHead.Field>)] = unsafe []
    fileprivate var outputs: [UnsafeMutableRawBufferPointer] = unsafe []
    private static let kept = 256

    public init() {}

    deinit {
        for unsafe head in unsafe heads {
            unsafe head.bytes.deallocate()
            unsafe head.fields.deallocate()
        }
        for unsafe output in unsafe outputs { unsafe OutputBuffer.free(output) }
    }

    fileprivate var takesHeads: Bool { unsafe heads.count < Self.kept }
    fileprivate var takesOutputs: Bool { unsafe outputs.count < Self.kept }
}

extension MessageHead {
    /// Gives up the head's bytes and fields. What was understood of it stays: method, status, framing and the rest.
    public func giveStorage(to spare: SpareStorage) {
        guard unsafe bytes.count > 0 else { return }
        byteCount = 0
        fieldCount = 0
        present = 0
        if unsafe bytes.count == Self.usualSize, unsafe fields.count == Self.usualFields, spare.takesHeads {
            unsafe spare.heads.append((bytes, fields))
        } else {
            unsafe bytes.deallocate()
            unsafe fields.deallocate()
        }
        unsafe bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        unsafe fields = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Makes ready for another head what gave its storage up.
    public func takeStorage(from spare: SpareStorage) {
        guard unsafe bytes.count == 0 else { return }
        unsafe (bytes, fields) = spare.heads.popLast() ?? Self.storage()
    }
}

extension OutputBuffer {
    /// Gives up its memory, with whatever stands in it.
    public func giveStorage(to spare: SpareStorage) {
        used = 0
        if unsafe memory.count == Self.usualSize, spare.takesOutputs {
            unsafe spare.outputs.append(memory)
        } else {
            unsafe Self.free(memory)
        }
        unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Takes memory where it has none.
    public func takeStorage(from spare: SpareStorage) {
        guard unsafe memory.count == 0 else { return }
        unsafe memory = spare.outputs.popLast() ?? Self.memory(of: Self.usualSize)
    }
}
