@testable import Export
import HTTP
import TLS
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Several exporters` {
    @Test func `do not wait for one that is stuck`() throws {
        let stuck = try Collector { _ in .silence }
        let current = try Collector()
        let shelf = (Shelf(), Shelf())
        let bench = Bench()
        var destinations = [ExportDestination.quick(stuck), .quick(current)]
        destinations[1].name = "current"
        bench.exporters.use(try bench.exporters.prepare(destinations) { $0.name == "current" ? shelf.1.source() : shelf.0.source() })
        for shelf in [shelf.0, shelf.1] { shelf.add(100) }
        bench.exporters.notify()
        wait { stuck.requests.count == 1 && shelf.1.cursor == 100 }
        #expect(current.taken == (1...100).map { UInt64($0) })
        #expect(shelf.0.cursors.isEmpty)
        #expect(bench.exporters.health().map(\.exported) == [0, 100])
        bench.finish(.milliseconds(10))
    }

    @Test func `end, go on and begin as destinations change`() throws {
        let kept = try Collector()
        let removed = try Collector()
        let added = try Collector()
        let shelves = ["kept": Shelf(), "removed": Shelf(), "added": Shelf()]
        for shelf in shelves.values { shelf.add(5) }
        func destination(_ name: String, _ collector: Collector) -> ExportDestination {
            var destination = ExportDestination.quick(collector)
            destination.name = name
            return destination
        }
        let bench = Bench()
        bench.exporters.use(try bench.exporters.prepare([destination("kept", kept), destination("removed", removed)]) { shelves[$0.name]!.source() })
        wait { kept.taken.count == 5 && removed.taken.count == 5 }
        wait { shelves["removed"]!.cursor == 5 }

        var asked: [String] = []
        bench.exporters.use(
            try bench.exporters.prepare([destination("kept", kept), destination("added", added)]) {
                asked.append($0.name)
                return shelves[$0.name]!.source()
            })
        #expect(asked == ["added"])
        for shelf in shelves.values { shelf.add(5) }
        bench.exporters.notify()
        wait { kept.taken.count == 10 && added.taken.count == 10 }
        bench.finish()
        #expect(removed.taken.count == 5)
        #expect(kept.taken == (1...10).map { UInt64($0) })
    }

    @Test func `stay as they are where a new one cannot be made`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        try bench.start(shelf, .quick(collector))
        var broken = ExportDestination(name: "broken", origin: Origin(isTLS: true, host: "127.0.0.1", port: 1), target: "/")
        broken.trust = .file("/nowhere/ca.pem")
        #expect(throws: ExportError.self) { try bench.exporters.prepare([broken]) { _ in shelf.source() } }
        #expect(bench.exporters.health().map(\.name) == ["test"])
        shelf.add(5)
        bench.exporters.notify()
        wait { collector.taken.count == 5 }
        bench.finish()
    }

    @Test func `begin anew where a destination is changed, from its cursor`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(5)
        var destination = ExportDestination.quick(collector)
        try bench.start(shelf, destination)
        wait { shelf.cursor == 5 }
        destination.headers = ["x-new": "1"]
        try bench.start(shelf, destination)
        shelf.add(5)
        bench.finish()
        #expect(collector.taken == (1...10).map { UInt64($0) })
        #expect(collector.requests.last?.head.contains("x-new: 1") == true)
    }
}
