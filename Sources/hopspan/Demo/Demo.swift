import Commands

enum Demo {
    static func run(_ settings: DemoSettings, _ console: Console) throws(Failure) { throw Failure("not yet") }
}
