import Glibc

/// Where libFuzzer hands in one input; which of the targets reads it says the environment's `HOPSPAN_FUZZ`.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // Sound: libFuzzer keeps the bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    target(input)
    return 0
}

private let target: @Sendable ([UInt8]) -> Void =
    switch unsafe getenv("HOPSPAN_FUZZ").map({ unsafe String(cString: $0) }) {
    case "head": fuzzHead
    case "chunked": fuzzChunked
    case "events": fuzzEvents
    case "amazon-events": fuzzAmazonEvents
    case "context": fuzzContext
    case "json": fuzzJSON
    case "otlp": fuzzOTLP
    case "agent-card": fuzzAgentCard
    case "a2a": fuzzA2A
    default: fatalError("HOPSPAN_FUZZ must name a target: head, chunked, events, amazon-events, context, json, otlp, agent-card, a2a")
    }

/// A statement that holds for every input; libFuzzer keeps the input for which it does not.
func always(_ holds: Bool, _ statement: StaticString) {
    if !holds { fatalError("not so: \(statement)") }
}

extension RawSpan {
    /// A copy, for comparing.
    var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
