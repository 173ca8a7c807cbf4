import Commands
import Demo
import EventLoop
import Glibc

@main struct Hopspan {
    static func main() {
        System.ignoreBrokenPipes()
        let console = Console()
        do throws(Complaint) {
            let invocation = try Invocation.read(Array(CommandLine.arguments.dropFirst()))
            do throws(Failure) {
                try follow(invocation, console)
                exit(0)
            } catch {
                console.complain(error.lines)
                exit(1)
            }
        } catch {
            console.complain(error.lines)
            exit(error.status)
        }
    }

    private static func follow(_ invocation: Invocation, _ console: Console) throws(Failure) {
        switch invocation {
        case .show(let text): try console.write(Array(text.utf8))
        case .serve(let settings): try Serve.run(settings, console)
        case .demo(let settings): try DemoCommand.run(settings, console)
        case .check(let settings): try Check.run(settings, console)
        case .runs(let settings): try Asking.runs(settings, console)
        case .run(let settings): try Asking.run(settings, console)
        case .cost(let settings): try Asking.cost(settings, console)
        case .prices(let settings): try Prices.run(settings, console)
        case .runbooks: try ToolServer.runbooks.serve { line throws(Failure) in try console.print([line]) }
        }
    }
}
