import Testing
import Tracing

private func joined(_ values: String..., lengthLimit: Int = 8192) -> String { joined(values, lengthLimit: lengthLimit) }

private func joined(_ values: [String], lengthLimit: Int = 8192) -> String {
    var state = TraceState(lengthLimit: lengthLimit)
    for value in values { withBytes(value) { state.append($0) } }
    #expect(state.isEmpty == (state.text.byteCount == 0))
    return text(state.text)
}

private let allowedValue = String(String.UnicodeScalarView((0x20...0x7E as ClosedRange<UInt8>).map { Unicode.Scalar($0) }))
    .filter { $0 != "," && $0 != "=" }

@Suite struct `A tracestate` {
    @Test(arguments: [
        (["foo=1"], "foo=1"),
        (["foo=1,bar=2"], "foo=1,bar=2"),
        ([], ""), ([""], ""), ([" \t "], ""), ([",,"], ""), ([", ,"], ""),
        (["foo=1", ""], "foo=1"), (["", "foo=1"], "foo=1"), (["foo=1,"], "foo=1"), ([",foo=1,,bar=2,"], "foo=1,bar=2"),
        (["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"),
        (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (["\t foo=1 \t"], "foo=1"),
        (["foo=  1"], "foo=  1"),
        (["foo=1,foo=2"], "foo=1,foo=2"),
        (["foo@=1,bar=2"], "foo@=1,bar=2"), (["foo@@bar=1"], "foo@@bar=1"), (["foo@bar@baz=1"], "foo@bar@baz=1"),
        (["0a=1", "9_-*/@=x"], "0a=1,9_-*/@=x"),
        (["abc_-*/=\(allowedValue)"], "abc_-*/=\(allowedValue)"),
        (["ot=th:8;rv:0123456789abcd"], "ot=th:8;rv:0123456789abcd"),
    ] as [([String], String)])
    func `is passed on as one value`(values: [String], expected: String) {
        #expect(joined(values) == expected)
    }

    @Test(arguments: [
        "foo", "=", "=1", "foo=", "foo= ", "foo=bar=baz", "foo=,bar=3", "foo =1", "foo\t=1", "FOO=1", "fOO=1", "foo.bar=1", "@foo=1,bar=2",
        "_foo=1", "-foo=1", "*foo=1", "/foo=1", "foo=é", "foo=a\u{7F}", "foo=a\tb", "foo=a\u{0}", "föö=1", "foo=1;bar=2\n",
    ])
    func `is discarded whole for one bad member`(value: String) {
        #expect(joined(value) == "")
        #expect(joined("ok=1", value, "fine=2") == "")
    }

    @Test func `has at most 32 members, or none`() {
        let members = (1...33).map { "bar\($0)=\($0)" }
        #expect(joined(Array(members.prefix(32))) == members.prefix(32).joined(separator: ","))
        #expect(joined(members) == "")
        #expect(joined(members.joined(separator: ",")) == "")
        // Empty members are no members.
        #expect(joined(members.prefix(32).joined(separator: ",,") + ",") == members.prefix(32).joined(separator: ","))
    }

    @Test func `has keys and values of up to 256 characters`() {
        for key in [String(repeating: "z", count: 256), String(repeating: "t", count: 241) + "@" + String(repeating: "v", count: 14),
            String(repeating: "t", count: 242) + "@v", "t@" + String(repeating: "v", count: 15)]
        {
            #expect(joined("foo=1", "\(key)=1") == "foo=1,\(key)=1")
        }
        #expect(joined("foo=1", String(repeating: "z", count: 257) + "=1") == "")
        let value = String(repeating: "v", count: 256)
        #expect(joined("foo=\(value)") == "foo=\(value)")
        #expect(joined("foo=\(value)v") == "")
    }

    @Test func `keeps 512 characters as they are`() {
        let long = "a=" + String(repeating: "x", count: 253) + ",b=" + String(repeating: "y", count: 254)
        #expect(long.utf8.count == 512)
        #expect(joined(long, lengthLimit: 512) == long)
    }

    @Test func `loses whole members when it must be cut, first those over 128 characters`() {
        let large = { (key: String) in key + "=" + String(repeating: "x", count: 200) }
        let small = { (key: String) in key + "=" + String(repeating: "y", count: 98) }
        // 202 + 100 + 202 + 100 and commas: the right-most large one goes, and that is enough.
        #expect(joined([large("a"), small("b"), large("c"), small("d")].joined(separator: ","), lengthLimit: 512)
            == [large("a"), small("b"), small("d")].joined(separator: ","))
        // Six small ones do not fit: the sixth goes, and so does what stands right of it, though it would fit.
        let six = ["a", "b", "c", "d", "e", "f"].map(small)
        #expect(joined(six + ["g=1"], lengthLimit: 512) == six.prefix(5).joined(separator: ","))
        // A member of exactly 128 characters is not a large one.
        let limit = "l=" + String(repeating: "z", count: 126)
        #expect(joined([limit, small("a"), small("b"), small("c"), small("d")], lengthLimit: 512)
            == [limit, small("a"), small("b"), small("c")].joined(separator: ","))
        // Large first in the list, alone too long together with another.
        #expect(joined([large("a"), large("b"), large("c")], lengthLimit: 512) == [large("a"), large("b")].joined(separator: ","))
        #expect(joined([large("a")] + six, lengthLimit: 512) == six.prefix(5).joined(separator: ","))
    }

    @Test func `starts afresh after a reset`() {
        var state = TraceState()
        withBytes("foo=bar=baz") { state.append($0) }
        state.reset()
        withBytes("foo=1") { state.append($0) }
        #expect(text(state.text) == "foo=1")
    }
}
