import Commands
import Configuration
import Demo
import EventLoop
import Gateway
import HTTP
import JSON
import QueryAPI
import Terminal
import Tracing

/// `hopspan demo`: stand-ins for the providers, for two MCP servers and for another agent, a real gateway, an agent, and the tree of what
/// it did.
enum DemoCommand {
    static func run(_ settings: DemoSettings, _ console: Console) throws(Failure) {
        System.shareHeap()
        System.raiseFileLimit()
        // The threads that are started here may not take the signals that `Serve` waits for later on.
        _ = Signals.hold()
        let configuration = try configuration(settings, console)
        try demonstrate(configuration, settings, console)
        guard settings.keeps else { return try console.print(next(console)) }
        try Serve.run(configuration, console, greeting: { going($0, console) })
    }

    /// Everything is started, used and gone when this returns: the store's file can be taken again.
    private static func demonstrate(_ configuration: Configuration, _ settings: DemoSettings, _ console: Console) throws(Failure) {
        var configuration = configuration
        let historian = Historian()
        let standIns: [StandIn]
        do {
            let (openAI, anthropic, metrics, agent) = (try StandIn.openAI(), try StandIn.anthropic(), try StandIn.metrics(), try StandIn.agent(historian))
            configuration.answer("openai", with: openAI)
            configuration.answer("anthropic", with: anthropic)
            configuration.addTools(metrics)
            configuration.addAgent(agent)
            standIns = [openAI, anthropic, metrics, agent]
        } catch { throw Failure("the stand-ins cannot listen: \(error)") }
        let program: Program
        do { program = try Program.start(configuration) } catch {
            throw Failure(lines: error.lines + (settings.keeps || settings.port != nil ? ["hopspan demo --port PORT takes another port, --store FILE another store"] : []))
        }
        historian.use(Origin(isTLS: false, host: program.gateway.address.host, port: program.gateway.address.port))
        do throws(Failure) {
            let run = try send(to: program.gateway.address, console)
            try show(run, of: APIClient(apiURL("\(program.api.address)"), console), gateway: program.gateway.address, console)
        } catch {
            end(program, standIns)
            throw error
        }
        end(program, standIns)
    }

    // MARK: what is started

    /// As `hopspan serve` would be configured with no file, but for what the demo is told, or needs to leave no trace.
    private static func configuration(_ settings: DemoSettings, _ console: Console) throws(Failure) -> Configuration {
        let loaded = try Configuration.read(nil, environment: console.environment)
        if settings.keeps { Serve.announce(loaded, console) } else { console.complain(loaded.warnings.map { "warning: \($0)" }) }
        var configuration = loaded.configuration
        if let port = settings.port ?? (settings.keeps ? nil : 0) {
            configuration.gateway.listen = ListenAddress("127.0.0.1:\(port)") ?? configuration.gateway.listen
            configuration.api.listen = ListenAddress("127.0.0.1:\(port == 0 ? 0 : port + 1)") ?? configuration.api.listen
        }
        if let store = settings.store ?? (settings.keeps ? nil : ":memory:") { configuration.store.path = store }
        return configuration
    }

    private static func end(_ program: Program, _ standIns: [StandIn]) {
        // Its store is gone with it: a back end that is slow to take its first spans has to have them now.
        program.stopBlocking(lastExport: .seconds(30))
        let done = WorkSignal()
        Task.detached {
            for standIn in standIns { await standIn.stop() }
            done.signal()
        }
        done.wait()
    }

    // MARK: what is sent

    /// - Returns: the run's id.
    private static func send(to gateway: SocketAddress, _ console: Console) throws(Failure) -> String {
        let agent = Agent(gateway: Origin(isTLS: false, host: gateway.host, port: gateway.port), run: "demo-" + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16))
        let steps = Agent.steps
        var progress = Progress("an agent's run through the gateway", total: steps.count, on: console.errors)
        var run: String?
        for (number, step) in steps.enumerated() {
            progress.update(number)
            guard !Signals.endIsAsked else { throw Failure("interrupted") }
            let outcome: Agent.Outcome
            do { outcome = try agent.take(step) } catch {
                throw Failure("the demo's call \(number + 1), \(step.name), came to nothing: \(error)")
            }
            guard outcome.isAsExpected else { throw Failure("the demo's call \(number + 1), \(step.name), was answered \(outcome.status)") }
            run = run ?? outcome.run
        }
        progress.clear()
        guard let run else { throw Failure("the gateway named no run") }
        return run
    }

    // MARK: what is shown

    private static func show(_ run: String, of api: APIClient, gateway: SocketAddress, _ console: Console) throws(Failure) {
        let target = RunSettings().target(of: run)
        try wait(for: target, api)
        // The agent is done; nothing waits for a minute of quiet.
        _ = try api.get(target + "/end", method: .post)
        guard let tree = try api.get(target), let cost = try api.get(target + "/cost?by=model") else { throw Failure("the api does not know the run \(run)") }
        let screen = console.output.screen
        let intro = "An agent made \(Agent.steps.count) calls through the gateway at \(gateway), to stand-ins for models, tools and another agent, which made \(Agent.hops - Agent.steps.count) more:"
        let lines: [String]
        do {
            lines = try [intro, ""] + RunTree.lines(tree, on: screen) + ["", "What it cost:", ""] + CostTable.lines(JSONValue(cost), by: ["model"], on: screen)
        } catch { throw Failure("\(UnexpectedAnswer())") }
        try console.print(lines)
    }

    /// A hop is visible 250 ms after its end; on a busy machine, later.
    private static func wait(for target: String, _ api: APIClient) throws(Failure) {
        for _ in 0..<100 {
            if let answer = try api.get(target), let hops = (try? JSONValue(answer))?["hops"]?.int, hops >= Agent.hops { return }
            WorkSignal.pause(milliseconds: 50)
        }
        throw Failure("the run's hops did not come into the store within five seconds")
    }

    private static func next(_ console: Console) -> [String] {
        ["", "Next:"] + path(console) + [
            "  hopspan demo --keep      the same, and the gateway serves on: query it with hopspan run, runs and cost",
            "  hopspan serve            a gateway of your own; hopspan help traces says what to send it",
        ]
    }

    /// For a gateway that stays, at the addresses it has.
    private static func going(_ program: Program, _ console: Console) -> [String] {
        let (gateway, api) = (program.gateway.address, program.api.address)
        let isElsewhere = "\(api)" != "\(Configuration().api.listen)"
        return [
            "", "The gateway serves on, now for the real providers. In another terminal:",
        ] + path(console) + (isElsewhere ? ["  export HOPSPAN_API=http://\(api)"] : []) + [
            "  hopspan run              this run's tree",
            "  hopspan cost --by model  what was spent",
        ] + (console.errors.screen.isTerminal ? [] : [  // where it is one, serve says the same
            "  export OPENAI_BASE_URL=http://\(gateway)/openai/v1",
            "  export ANTHROPIC_BASE_URL=http://\(gateway)/anthropic",
            "                           and start your agent: nothing else changes",
        ]) + [""]
    }

    /// What a shell needs to be told where it would not find this program.
    private static func path(_ console: Console) -> [String] {
        ProgramFile.folderToAdd(console.environment).map { ["  export PATH=\"\($0):$PATH\""] } ?? []
    }
}

extension JSONValue {
    fileprivate init(_ bytes: [UInt8]) throws(JSONError) { try self.init(unsafe bytes.span.bytes) }  // sound: the array outlives the call
}

extension WorkSignal {
    fileprivate static func pause(milliseconds: UInt64) { _ = WorkSignal().wait(nanoseconds: milliseconds * 1_000_000) }
}

extension Configuration {
    /// A provider whose calls go to a stand-in.
    fileprivate mutating func answer(_ name: String, with standIn: StandIn) {
        var provider = Provider()
        provider.name = name
        provider.baseURL = HTTPURL(standIn.url)
        providers.append(provider)
    }

    /// Two MCP servers: one over HTTP, and one that is a program, which is this one.
    fileprivate mutating func addTools(_ standIn: StandIn) {
        var metrics = MCPServer()
        metrics.name = "metrics"
        if let url = HTTPURL(standIn.url + "/mcp") { metrics.url = url }
        metrics.pricePerCall = USD("0.002")
        var runbooks = MCPServer()
        runbooks.name = "runbooks"
        runbooks.command = ["/proc/self/exe", Invocation.runbooksWord]
        mcp += [metrics, runbooks]
    }

    /// Another agent.
    fileprivate mutating func addAgent(_ standIn: StandIn) {
        var agent = Agent()
        agent.name = "historian"
        if let url = HTTPURL(standIn.url) { agent.url = url }
        a2a.append(agent)
    }
}
