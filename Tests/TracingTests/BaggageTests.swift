import Testing
import Tracing

private func baggage(_ values: [String]) -> Baggage {
    var baggage = Baggage()
    for value in values { withBytes(value) { baggage.append($0) } }
    return baggage
}

@Suite struct `A baggage header` {
    @Test(arguments: [
        (["a=1"], "a=1"),
        (["a=1,b=2", "c=3"], "a=1,b=2,c=3"),
        ([" a=1 \t,  b=2 "], "a=1,b=2"),
        (["a = 1 ; p = x ; q , b=2"], "a = 1 ; p = x ; q,b=2"),
        (["a=1;p=x;q"], "a=1;p=x;q"),
        (["a=1,a=2"], "a=1,a=2"),
        (["a="], "a="),
        (["a==b=c"], "a==b=c"),
        (["userId=Am%C3%A9lie,serverNode=DF%2028"], "userId=Am%C3%A9lie,serverNode=DF%2028"),
        ([], ""), ([""], ""), ([",, ,"], ""),
        // One bad member is left out, and only that one.
        (["a=1,nonsense,b=2"], "a=1,b=2"), (["=1,b=2"], "b=2"), (["a b=1,b=2"], "b=2"), (["a=x y,b=2"], "b=2"),
        (["a=\"x\",b=2"], "b=2"), (["a=x\\y,b=2"], "b=2"), (["a=é,b=2"], "b=2"), (["a(=1,b=2"], "b=2"), (["a=1;p=\u{1},b=2"], "b=2"),
    ] as [([String], String)])
    func `is passed on as one value, member by member`(values: [String], expected: String) {
        #expect(text(baggage(values).text) == expected)
        #expect(baggage(values).isEmpty == expected.isEmpty)
    }

    @Test(arguments: [
        ("run.id=nightly-42", "run.id", "nightly-42"),
        ("x=1,run.id=nightly-42,y=2", "run.id", "nightly-42"),
        ("run.id = nightly-42 ; ttl=1", "run.id", "nightly-42"),
        ("gen_ai.agent.name=Am%C3%A9lie%20the%20%2C%20agent", "gen_ai.agent.name", "Amélie the , agent"),
        ("run.id=a+b", "run.id", "a+b"),
        ("run.id=a%2", "run.id", "a%2"), ("run.id=100%", "run.id", "100%"), ("run.id=%zz", "run.id", "%zz"),
        ("run.id=%41%4a%4A", "run.id", "AJJ"),
        ("run.id=a%FFb", "run.id", "a\u{FFFD}b"), ("run.id=%C3", "run.id", "\u{FFFD}"),
        ("run.id=a=b", "run.id", "a=b"),
        ("run.id=", "run.id", ""),
        ("run.id=1,run.id=2", "run.id", "2"),
        ("Run.Id=1", "run.id", nil), ("run.idx=1", "run.id", nil), ("arun.id=1", "run.id", nil), ("x=run.id=1", "run.id", nil),
        ("a=1;run.id=2", "run.id", nil), ("", "run.id", nil), ("run%2Eid=1", "run.id", nil),
    ] as [(String, String, String?)])
    func `gives the decoded value of a key`(value: String, key: String, expected: String?) {
        var baggage = baggage([value])
        let found = key == "run.id" ? baggage.withValue(of: "run.id") { text($0) } : baggage.withValue(of: "gen_ai.agent.name") { text($0) }
        #expect(found == expected)
    }

    @Test func `keeps 64 members, all headers together`() {
        let members = (1...70).map { "k\($0)=v" }
        #expect(text(baggage([members.joined(separator: ",")]).text) == members.prefix(64).joined(separator: ","))
        #expect(text(baggage(members).text) == members.prefix(64).joined(separator: ","))
    }

    @Test func `keeps 8192 bytes, and drops only whole members`() {
        let full = "a=" + String(repeating: "x", count: 4094) + ",b=" + String(repeating: "y", count: 4093)
        #expect(full.utf8.count == 8192)
        #expect(text(baggage([full]).text) == full)
        #expect(text(baggage([full, "c=1"]).text) == full)
        #expect(text(baggage(["c=1", full]).text) == "c=1," + full.prefix(4096))
    }

    @Test func `starts afresh after a reset`() {
        var baggage = baggage(["run.id=1"])
        baggage.reset()
        #expect(baggage.isEmpty)
        #expect(baggage.withValue(of: "run.id") { _ in true } == nil)
    }
}
