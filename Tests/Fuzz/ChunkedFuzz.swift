import HTTP

private struct Decoded: Equatable {
    var body: [UInt8] = []
    var consumed = 0
    var isDone = false
    var failure: ChunkedDecoder.Failure?
    var trailers: [UInt8]?
}

/// Chunked bodies: decoded in place at once, in two pieces and byte by byte they are the same.
func fuzzChunked(_ input: [UInt8]) {
    let whole = decode(input, piece: max(1, input.count))
    let bytewise = decode(input, piece: 1)
    let halves = decode(input, piece: input.count / 2 + 1)
    // What a piece held before its fault is not given.
    always(whole.failure == bytewise.failure && whole.failure == halves.failure, "one fault however the bytes arrive")
    if whole.failure == nil { always(whole == bytewise && whole == halves, "one body however the bytes arrive") }
}

private func decode(_ input: [UInt8], piece size: Int) -> Decoded {
    var decoder = ChunkedDecoder()
    decoder.keepTrailers()
    var result = Decoded()
    var start = 0
    while start < input.count, !decoder.isDone {
        var piece = Array(input[start..<min(start + size, input.count)])
        do {
            let (decoded, consumed) = try unsafe piece.withUnsafeMutableBytes { try unsafe decoder.decode($0) }
            always(decoded <= consumed && consumed <= piece.count, "no more comes out than went in")
            always(consumed == piece.count || decoder.isDone, "only a body that has ended leaves bytes")
            result.body += piece[..<decoded]
            result.consumed += consumed
        } catch {
            result.failure = error as? ChunkedDecoder.Failure
            return result
        }
        start += piece.count
    }
    result.isDone = decoder.isDone
    result.trailers = decoder.trailers
    return result
}
