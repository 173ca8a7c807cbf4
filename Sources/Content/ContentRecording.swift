/// How much of what agents and models say goes into spans (`telemetry.content`): nothing unless somebody asks for it.
public struct ContentRecording: Sendable, Equatable {
    public enum Mode: UInt8, Sendable {
        case none
        /// Secrets, e-mail addresses, card and phone numbers are masked first.
        case redacted
        case full
    }

    public var mode: Mode
    /// The most bytes one attribute may have.
    public var limit: Int

    public init(_ mode: Mode, limit: Int = 64 << 10) {
        self.mode = mode
        self.limit = limit
    }

    public static let none = ContentRecording(.none)
}
