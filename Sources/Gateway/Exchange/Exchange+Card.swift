import A2A
import EventLoop
import HTTP
import JSONRPC
import Policy

/// An agent's card on its way to a caller.
final class CardAnswer {
    let rewriting: AgentCardRewriting
    /// Which version of itself the agent says it is in the card; empty until it does.
    fileprivate(set) var agentVersion: [UInt8] = []
    /// The card as it is for callers is one that may be asked for by its tag: it has an answer of its own.
    fileprivate let isTagged: Bool
    /// The tag of what the caller gets, quotes and all; empty where there is none.
    fileprivate(set) var tag: [UInt8] = []
    /// The caller has it already.
    fileprivate(set) var isNotModified = false

    fileprivate init(_ rewriting: AgentCardRewriting, isTagged: Bool) { (self.rewriting, self.isTagged) = (rewriting, isTagged) }
}

// Cards lead callers here, and show what they may use.
extension Exchange {
    /// Where the answer will be an agent's card, it is to lead here. To be said before the request goes out.
    /// - Parameters:
    ///   - isTLS: callers reach us by https.
    ///   - descriptor: of the caller's connection.
    func leadCardHere(_ upstream: Upstream, isTLS: Bool, _ descriptor: Int32) {
        guard let agent = upstream.agent, asksForCard(upstream) else { return }
        let (request, name) = (request, upstream.name)
        var address = Array((isTLS ? "https://" : "http://").utf8)
        if let host = request.index(of: .host) {
            address += Array(request.value(host).string.utf8)
        } else {
            address += Array(SocketAddress(localOf: descriptor).description.utf8)
        }
        address += Array("/\(name.bytes.string)".utf8)
        let rewriting = AgentCardRewriting(gateway: address, agentPath: agent.path, keepsSecurity: upstream.passesCredentials)
        let card = CardAnswer(rewriting, isTagged: request.method != .post)
        self.card = card
        editAnswer { [unowned self] text in answer.status == 200 ? card.edit(text, agent.skills) : .none }
    }

    /// By one of the two places where cards are published (A2A 0.2 and later ones), or by the operation of any version.
    private func asksForCard(_ upstream: Upstream) -> Bool {
        if let call = message?.a2a, call.isKnown { return call.operation == .getExtendedAgentCard }
        let request = request
        let path = request.path
        return (request.method == .get || request.method == .head) && (path.ends(with: "/.well-known/agent-card.json") || path.ends(with: "/.well-known/agent.json"))
    }

    /// A field by which a caller asks for a card on a condition, or for a part of it. What holds for the agent's card says nothing of ours,
    /// which is made of it anew: the agent is asked for all of it.
    @inline(never)
    func isCardCondition(_ index: Int) -> Bool {
        let request = request
        let name = request.name(index)
        return name.equalsIgnoringCase("if-none-match") || name.equalsIgnoringCase("if-modified-since") || name.equalsIgnoringCase("if-match")
            || name.equalsIgnoringCase("if-unmodified-since") || name.equalsIgnoringCase("if-range") || name.equalsIgnoringCase("range")
    }

    /// The answer's head has come: what it says of the agent's card is not true of ours.
    func cardBegins() {
        guard let card, card.isTagged, answer.status == 200 else { return }
        let answer = answer
        for index in 0..<answer.fieldCount {
            let name = answer.name(index)
            if name.equalsIgnoringCase("etag") || name.equalsIgnoringCase("last-modified") || name.equalsIgnoringCase("accept-ranges")
                || request.method == .head && answer.field(index).name == .contentLength
            {
                answer.withhold(index)
            }
        }
    }

    /// The card stands in `body` as the caller shall have it. One that the caller has already is not sent again (RFC 9110 §13.1.2).
    func tagCard() {
        guard let card, card.isTagged, answer.status == 200 else { return }
        let (request, body) = (request, body)
        // FNV-1a, of 128 bits: the same for the same card, whoever runs where.
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for offset in 0..<body.count { hash = (hash ^ UInt128(body.bytes[byte: offset])) &* 0x0100_0000_0000_0000_0000_013B }
        let ours = Array("\"\(String(hash, radix: 16))\"".utf8)
        card.tag = ours
        for index in 0..<request.fieldCount where request.name(index).equalsIgnoringCase("if-none-match") {
            var offset = 0
            while let listed = request.value(index).nextListElement(&offset) {
                let tag = listed.starts(with: "W/") ? listed.extracting(2..<listed.byteCount) : listed
                // Sound: bytes have no padding.
                if unsafe tag.equals(ours.span.bytes) || tag.equals("*") { card.isNotModified = true }
            }
        }
        if card.isNotModified { body.removeAll() }
    }

    /// Refuses a message that says it is for a skill that callers may not use. The protocol has no word for it: agents choose the skill.
    func confineSkills(_ upstream: Upstream) throws(GatewayError) {
        guard let skills = upstream.agent?.skills, case .success(.a2a(let asked)?) = message?.request else { return }
        let body = body
        for skill in asked.skills {
            var isAllowed = false
            JSONRPCMessage.withText(skill, in: body.bytes) { isAllowed = skills.allows($0) }
            if !isAllowed { throw .skillNotAllowed }
        }
    }
}

extension CardAnswer {
    /// - Parameter text: the card, or a message of JSON-RPC with it as its result.
    fileprivate func edit(_ text: RawSpan, _ skills: NameFilter?) -> AnswerEdit {
        var range = 0..<text.byteCount
        if !isTagged {
            guard let message = try? JSONRPCMessage(text) else { return .unreadable }
            guard message.kind == .result else { return .none }
            range = message.outcome
        }
        guard let rewritten = rewriting.rewrite(text.extracting(range), allowsSkill: { skills?.allows($0) ?? true }) else { return .unreadable }
        agentVersion = rewritten.version
        return .changes([MessageEdit(range: range, bytes: rewritten.text)])
    }
}

extension RawSpan {
    fileprivate func ends(with suffix: StaticString) -> Bool {
        let start = byteCount - suffix.utf8CodeUnitCount
        return start >= 0 && extracting(start..<byteCount).equals(suffix)
    }
}
