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
