import Peers
@testable import EventLoop
import Foundation
import Synchronization
import Testing

/// Names that hang are looked up until the test lets them go.
private final class Names: Sendable {
    private let held = WorkSignal()
    private let asked = Mutex(0)

    var resolver: Resolver {
        Resolver { [self] name in
            guard name.hasPrefix("hangs") else { return .success([SocketAddress("192.0.2.1", port: 0)!]) }
            asked.withLock { $0 += 1 }
            held.wait()
            return .failure(.notFound(-2))
        }
    }

    /// How many of those have been taken up.
    var hanging: Int { asked.withLock { $0 } }

    func letGo() { for _ in 0..<hanging { held.signal() } }
}

@Suite struct `A resolver` {
    /// How many descriptors are in the loop's set: proc(5) has a line for each. One is what wakes the loop.
    private func watched(by loop: EventLoop) throws -> Int {
        try String(contentsOfFile: "/proc/self/fdinfo/\(loop.epoll)", encoding: .utf8).split(separator: "\n").count { $0.hasPrefix("tfd:") }
    }

    @Test func `leaves nothing in a loop's set for a name that is no longer waited for`() async throws {
        let names = Names()
        let resolver = names.resolver
        try await onLoop { loop in
            do throws(Resolver.Failure) {
                _ = try await resolver.addresses(of: "hangs.test", port: 80, on: loop, until: loop.now + 50_000_000, for: nil)
                Issue.record("it was found")
            } catch { #expect(error == .timedOut) }
            let watched = try watched(by: loop)
            #expect(watched == 1)
        }
        names.letGo()
    }

    /// A look-up may end just when the one who waited for it goes.
    @Test func `tells nobody who no longer waits, and keeps nothing of theirs`() async throws {
        try await onLoop { loop in
            var ends: [Int32] = [0, 0]
            #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
            let bell = try Socket(ends[1], on: loop)
            let waiter = Resolver.Waiter(at: bell.descriptor)
            waiter.leave()
            waiter.tell(.failure(.timedOut))
            var byte: UInt8 = 0
            #expect(unsafe recv(ends[0], &byte, 1, 0) == -1)
            bell.close()
            #expect(try watched(by: loop) == 1)
            close(ends[0])
            _ = waiter.result
        }
    }

    /// What was found counts for half a minute, a failure for a second.
    @Test(arguments: [("found.test", 30), ("missing.test", 1)])
    func `looks a name up once for as long as it counts`(name: String, seconds: UInt64) async throws {
        let asked = Mutex(0)
        let time = Atomic<UInt64>(1_000_000_000_000)
        let resolver = Resolver(now: { time.load(ordering: .relaxed) }) { name in
            asked.withLock { $0 += 1 }
            return name == "found.test" ? .success([SocketAddress("192.0.2.1", port: 0)!]) : .failure(.notFound(-2))
        }
        try await onLoop { loop in
            func ask(port: UInt16) async throws -> [String] {
                do throws(Resolver.Failure) {
                    return try await resolver.addresses(of: name, port: port, on: loop, until: loop.now + 60_000_000_000, for: nil).map(\.description)
                } catch {
                    #expect(error == .notFound(-2))
                    return []
                }
            }
            func lookUps() -> Int { asked.withLock { $0 } }
            let first = try await ask(port: 80)
            #expect(first == (name == "found.test" ? ["192.0.2.1:80"] : []))
            #expect(lookUps() == 1)
            time.add(seconds * 1_000_000_000 - 1, ordering: .relaxed)
            let second = try await ask(port: 81)
            #expect(second == (name == "found.test" ? ["192.0.2.1:81"] : []))
            #expect(lookUps() == 1)
            time.add(1, ordering: .relaxed)
            _ = try await ask(port: 80)
            #expect(lookUps() == 2)
        }
    }

    @Test func `looks a name up once for all who wait for it`() async throws {
        let names = Names()
        let resolver = names.resolver
        try await onLoop { loop in
            await withTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask(executorPreference: loop) {
                        _ = await #expect(throws: Resolver.Failure.notFound(-2)) {
                            try await OnLoop(loop: loop).addresses(of: "hangs.test", by: resolver, within: 60_000_000_000)
                        }
                    }
                }
                group.addTask(executorPreference: loop) {
                    while resolver.waiting(for: "hangs.test") < 3 { await OnLoop(loop: loop).rest() }
                    #expect(names.hanging <= 1)
                    while names.hanging == 0 { await OnLoop(loop: loop).rest() }
                    names.letGo()
                }
            }
        }
        #expect(names.hanging == 1)
    }

    @Test func `forgets what it knows rather than to know more than a thousand names`() async throws {
        let asked = Mutex(0)
        let resolver = Resolver { _ in
            asked.withLock { $0 += 1 }
            return .success([SocketAddress("192.0.2.1", port: 0)!])
        }
        try await onLoop { loop in
            for number in 0..<1_002 { _ = try await resolver.addresses(of: "\(number).test", port: 80, on: loop, until: .max, for: nil) }
            #expect(resolver.known <= 1_001)
            _ = try await resolver.addresses(of: "0.test", port: 80, on: loop, until: .max, for: nil)
        }
        #expect(asked.withLock { $0 } == 1_003)
    }

    @Test func `answers while other names hang`() async throws {
        let names = Names()
        let resolver = names.resolver
        try await onLoop { loop in
            await withTaskGroup { group in
                for number in 0..<4 {
                    group.addTask(executorPreference: loop) {
                        _ = try? await OnLoop(loop: loop).addresses(of: "hangs-\(number).test", by: resolver, within: 40_000_000_000)
                    }
                }
                group.addTask(executorPreference: loop) {
                    while names.hanging < 2 { await OnLoop(loop: loop).rest() }
                    let found = try? await OnLoop(loop: loop).addresses(of: "answers.test", by: resolver, within: 30_000_000_000)
                    #expect(found?.map(\.host) == ["192.0.2.1"])
                    for _ in 0..<4 { names.letGo() }
                }
            }
        }
    }
}

private actor OnLoop {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    func rest() async { await loop.sleep(nanoseconds: 10_000_000) }

    func addresses(of name: String, by resolver: Resolver, within nanoseconds: UInt64) async throws -> [SocketAddress] {
        try await resolver.addresses(of: name, port: 80, on: loop, until: loop.now + nanoseconds, for: nil)
    }
}
