import Configuration
import EventLoop
import Glibc

@main struct Hopspan {
    static func main() {
        System.ignoreBrokenPipes()
        System.raiseFileLimit()
        var configuration = Configuration()
        let arguments = CommandLine.arguments
        if let index = arguments.firstIndex(of: "--config"), let file = try? readFile(arguments[index + 1]) {
            do { configuration = try Configuration.load(file: file, path: arguments[index + 1], environment: [:], read: { try? readFile($0) }).configuration } catch {
                for mistake in error.mistakes { print(mistake) }
                exit(1)
            }
        }
        let program: Program
        do { program = try Program(configuration) } catch {
            print(error.message)
            exit(1)
        }
        print("{\"event\":\"ready\",\"gateway\":\"\(program.gateway.address)\"}")
        unsafe fflush(nil)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        var signal: Int32 = 0
        unsafe sigwait(&set, &signal)
        let done = WorkSignal()
        Task {
            await program.stop()
            done.signal()
        }
        done.wait()
    }

    static func readFile(_ path: String) throws -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
