/// What this program calls itself: the name and version of the instrumentation scope of every span (OTLP
/// `InstrumentationScope`), of `hopspan --version`, and of `User-Agent`.
public enum ProgramVersion {
    public static let name: StaticString = "hopspan"
    public static let version: StaticString = "0.1.0"
}
