import HTTP

private struct Seen: Equatable {
    var data: [UInt8]
    var name: [UInt8]
    var verdict: EventStreamEvent.Verdict
}

/// Event streams: the events are the same wherever the chunks are cut, and their extents tile the stream. The first byte says
/// how long the chunks are.
func fuzzEvents(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let stream = Array(input.dropFirst())
    let whole = read(stream, piece: max(1, stream.count), limit: 1 << 20)
    always(read(stream, piece: 1, limit: 1 << 20) == whole, "bytewise the events are the same")
    always(read(stream, piece: Int(first % 61) + 1, limit: 1 << 20) == whole, "in chunks the events are the same")
    // Small limit: only that nothing is lost.
    _ = read(stream, piece: Int(first % 61) + 1, limit: Int(first))
}

private func read(_ stream: [UInt8], piece size: Int, limit: Int) -> [Seen] {
    var reader = EventStreamReader(limit: limit)
    var seen: [Seen] = []
    var raw: [UInt8] = []
    let take = { (event: borrowing EventStreamEvent) in
        always(event.offset == UInt64(raw.count), "events stand side by side")
        raw += event.raw.array
        if event.data.byteCount > 0 { seen.append(Seen(data: event.data.array, name: event.name.array, verdict: event.verdict)) }
    }
    var start = 0
    while start < stream.count {
        let end = min(start + size, stream.count)
        reader.read(unsafe stream.span.bytes.extracting(start..<end), take)
        always(reader.heldByteCount <= limit, "no more is held than the limit")
        start = end
    }
    reader.finish(take)
    always(raw == stream, "events tile the stream")
    return seen
}
