public import Tracing

/// Which traces are sampled: `OTEL_TRACES_SAMPLER`. What is not is still stored; it is passed on as unsampled and not exported.
public struct Sampler: Sendable, Hashable {
    public enum Root: Sendable, Hashable {
        case alwaysOn, alwaysOff
        /// The share of traces, 0 to 1, decided by the trace id, so that all who see it decide alike.
        case ratio(Double)
    }

    public var root: Root
    /// A caller's own decision counts; `root` decides only for traces that start here.
    public var isParentBased: Bool

    public init(root: Root = .alwaysOn, isParentBased: Bool = true) {
        self.root = root
        self.isParentBased = isParentBased
    }

    /// The flags our span has in a trace.
    /// - Parameter brought: the caller's flags; nil where the trace starts here.
    func flags(_ trace: TraceID, brought: TraceFlags?) -> TraceFlags {
        // The random flag is the caller's to say where the trace is (W3C Trace Context Level 2 §3.2.2.5.2).
        let random = brought.map { $0.intersection(.random) } ?? .random
        if isParentBased, let brought { return random.union(brought.intersection(.sampled)) }
        let isSampled =
            switch root {
            case .alwaysOn: true
            case .alwaysOff: false
            // TraceIdRatioBased of the OpenTelemetry SDK specification: the lower 63 bits of the id against the ratio.
            case .ratio(let ratio): ratio >= 1 || Double(trace.low & 0x7FFF_FFFF_FFFF_FFFF) < ratio * 0x1p63
            }
        return isSampled ? random.union(.sampled) : random
    }
}
