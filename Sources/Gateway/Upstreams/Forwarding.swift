import HTTP
import JSONRPC
import LLM
import MCP
import Tracing

// Heads as they are passed on: end-to-end fields byte for byte in their order, what belongs to one connection taken out
// (RFC 9110 §7.6.1), trace context written anew.
extension Exchange {
    /// Writes the upstream's request head into `output`.
    func writeRequestHead(_ upstream: Upstream) {
        let request = request
        output.removeAll()
        if request.method == .other { output.append(request.methodBytes) } else { output.append(request.method.name) }
        output.append(byte: 0x20)
        if let prefix = upstream.absolutePrefix { output.append(prefix) }
        let targetStart = output.count
        writeTarget(upstream)
        let targetEnd = output.count
        describeURL(upstream, target: targetStart..<targetEnd)
        output.append(upstream.versionAndHost)

        var acceptEncoding = AcceptEncoding()
        var credentialSeen = false
        let replaces = upstream.headers != nil
        let asksCard = isOfMessages && card != nil
        // Nothing but its name decides what becomes of a field.
        let isPlain = !replaces && !asksCard
        var run: Range<Int>?
        for index in 0..<request.fieldCount {
            let field = request.field(index)
            let passes: Bool
            switch field.name {
            case .host, .contentLength, .expect, .traceparent, .tracestate, .baggage, .hopspanRun, .hopspanAgent, .hopspanOther: passes = false
            case .acceptEncoding:
                acceptEncoding.add(request.value(index))
                passes = false
            case .authorization, .apiKey, .azureAPIKey, .googAPIKey:
                // Nominated, it is for us alone (RFC 9110 §7.6.1), but still the caller's own.
                credentialSeen = upstream.passesCredentials
                passes = !field.isNominated && upstream.passesCredentials
            default:
                passes = !field.name.isHopByHop && !field.isNominated
                    && (isPlain || !(replaces && upstream.replaces(index, of: request)) && !(asksCard && isCardCondition(index)))
            }
            extend(&run, by: field, passes, in: request)
        }
        if let run { output.append(request.raw.extracting(run)) }

        if asksIdentity || !request.has(.acceptEncoding) {
            output.append("accept-encoding: identity\r\n")
        } else {
            output.append("accept-encoding: ")
            acceptEncoding.withNarrowed { output.append($0) }
            output.append("\r\n")
        }
        if !credentialSeen, let credential = upstream.credential { writeCredential(credential, target: targetStart..<targetEnd) }
        if let headers = upstream.headers { output.append(headers) }
        if let authorization = upstream.proxyAuthorization { output.append(authorization) }
        if isOfMessages { writeSession() }
        writeTraceContext(upstream)
        writeRequestFraming()
        output.append("\r\n")
    }

    /// - Parameter target: where it stands in `output`.
    @inline(never)
    private func writeCredential(_ credential: Credential, target: Range<Int>) {
        let output = output
        if let line = credential.line(for: output.bytes.extracting(target)) { output.append(line) }
    }

    private func writeTarget(_ upstream: Upstream) {
        if isOfMessages, asksMetadata {
            output.append(ProtectedResource.wellKnown)
            if asksAtRoot || upstream.pathPrefix.count < 2 { return }
        }
        let request = request
        output.append(upstream.pathPrefix)
        let target = request.target
        guard upstream.kind != .mcpServer else { return }
        let rest = target.extracting(upstream.name.count + 1..<target.byteCount)
        if upstream.kind == .agent { return writeTarget(ofAgent: upstream, rest) }
        guard rest.byteCount > 0, rest[byte: 0] == UInt8(ascii: "/") else {
            output.append("/")
            output.append(rest)
            return
        }
        guard let mapping = upstream.known?.upstreamPath(rest) else {
            output.append(rest)
            return
        }
        output.append(mapping.prefix)
        output.append(rest.extracting(mapping.dropping..<rest.byteCount))
    }

    /// - Parameter rest: what follows the agent's name: nothing of a path where its URL itself is asked.
    @inline(never)
    private func writeTarget(ofAgent upstream: Upstream, _ rest: RawSpan) {
        if rest.byteCount == 0 || rest[byte: 0] == UInt8(ascii: "?"), upstream.pathPrefix.count == 0 { output.append("/") }
        output.append(rest)
    }

    private func writeTraceContext(_ upstream: Upstream) {
        output.append("traceparent: ")
        let traceparent = contextText
        unsafe output.append(traceparent.span.bytes)
        output.append("\r\n")
        if !traceState.isEmpty {
            let state = traceState
            output.append("tracestate: ")
            output.append(state.text)
            output.append("\r\n")
        }
        if upstream.forwardsBaggage, !baggage.isEmpty {
            let baggage = baggage
            output.append("baggage: ")
            output.append(baggage.text)
            output.append("\r\n")
        }
    }

    private func writeRequestFraming() {
        if isUnderstood {
            // What is asked of an agent by GET or DELETE has no body as a rule.
            if isOfMessages, body.count == 0, request.framing == .none, request.method != .post { return }
            output.append("content-length: ")
            output.append(decimal: body.count + (call.usageInjection?.growth ?? 0) + (message?.edits.growth ?? 0))
            output.append("\r\n")
            return
        }
        switch request.framing {
        case .length(let length):
            output.append("content-length: ")
            output.append(decimal: length)
            output.append("\r\n")
        case .chunked: output.append("transfer-encoding: chunked\r\n")
        case .none:
            // A method that usually has a body says that it has none (RFC 9110 §8.6).
            switch request.method {
            case .post, .put, .patch: output.append("content-length: 0\r\n")
            default: break
            }
        case .untilClose: break
        }
    }

    /// Writes the head the caller gets into `output`.
    /// - Returns: the framing its body then has.
    func writeAnswerHead(keepsAlive: Bool) -> BodyFraming {
        let answer = answer
        output.removeAll()
        output.append("HTTP/1.1 ")
        // Code, reason and the fields behind them pass in one piece.
        var run = answer.statusAndReason
        if run == nil {
            output.append(decimal: answer.status)
            output.append(" \r\n")
        }
        var framing = answer.framing
        if isOfMessages, card?.isNotModified == true {
            run = nil
            output.removeAll()
            output.append("HTTP/1.1 304 Not Modified\r\n")
            framing = .none
        } else if isCollected { framing = .length(body.count) } else if hides, framing != .none { framing = .chunked }
        if framing == .untilClose { framing = .chunked }
        if framing == .chunked, request.minorVersion == 0 { framing = .untilClose }

        for index in 0..<answer.fieldCount {
            let field = answer.field(index)
            let passes: Bool
            switch field.name {
            case .traceresponse, .hopspanRun, .hopspanOther, .hopspanAgent: passes = false
            // An answer without a body may still say how long one would be (HEAD, 304), but 204 never has one (RFC 9110 §8.6).
            case .contentLength: passes = framing == answer.framing && answer.status != 204 && !field.isNominated
            default: passes = !field.name.isHopByHop && !field.isNominated
            }
            extend(&run, by: field, passes, in: answer)
        }
        if let run { output.append(answer.raw.extracting(run)) }
        if isOfMessages { writeMessageFields(framing) }
        writeOurFields()
        if framing == .chunked { output.append("transfer-encoding: chunked\r\n") }
        if !keepsAlive || framing == .untilClose {
            output.append("connection: close\r\n")
        } else if request.minorVersion == 0 {
            output.append("connection: keep-alive\r\n")
        }
        output.append("\r\n")
        return framing
    }

    /// Fields that only answers to hops to MCP servers and agents have.
    @inline(never)
    private func writeMessageFields(_ framing: BodyFraming) {
        if let card, !card.tag.isEmpty {
            let tag = card.tag
            output.append("etag: ")
            unsafe output.append(tag.span.bytes)
            output.append("\r\n")
        }
        if isCollected, framing != answer.framing, framing != .none {
            output.append("content-length: ")
            output.append(decimal: body.count)
            output.append("\r\n")
        }
        if let addedLines { output.append(addedLines.bytes) }
    }

    /// Writes an interim answer's head into `output`.
    func writeInterimHead() {
        let answer = answer
        output.removeAll()
        output.append("HTTP/1.1 ")
        output.append(decimal: answer.status)
        output.append(byte: 0x20)
        output.append(answer.reason)
        output.append("\r\n")
        for index in 0..<answer.fieldCount {
            let field = answer.field(index)
            switch field.name {
            // Ours come with the answer that counts; a length has no place here (RFC 9110 §8.6).
            case .traceresponse, .hopspanRun, .hopspanOther, .hopspanAgent, .contentLength: continue
            default: if !field.name.isHopByHop, !field.isNominated { output.append(answer.line(index)) }
            }
        }
        output.append("\r\n")
    }

    /// `traceresponse` and `x-hopspan-run`: on every answer.
    func writeOurFields() {
        output.append("traceresponse: ")
        let traceresponse = contextText
        unsafe output.append(traceresponse.span.bytes)
        output.append("\r\nx-hopspan-run: ")
        if runName.isEmpty {
            // The trace id's digits.
            unsafe output.append(traceresponse.span.bytes.extracting(3..<35))
        } else {
            let name = runName
            unsafe output.append(name.span.bytes)
        }
        output.append("\r\n")
    }

    /// Gathers neighbouring fields that pass into one copy.
    private func extend(_ run: inout Range<Int>?, by field: MessageHead.Field, _ passes: Bool, in head: MessageHead) {
        if passes {
            run = (run?.lowerBound ?? field.lineStart)..<field.lineEnd
        } else if let gathered = run {
            output.append(head.raw.extracting(gathered))
            run = nil
        }
    }

    /// `url.full` of an exchange that was never sent.
    func describeUnsentURL(_ upstream: Upstream) {
        output.removeAll()
        writeTarget(upstream)
        describeURL(upstream, target: 0..<output.count)
    }

    /// `url.full` without credentials. Queries carry keys under many names (`key`, `sig`, `X-Amz-Signature`): the names stay, every
    /// value is redacted.
    /// - Parameter target: where it stands in `output`.
    private func describeURL(_ upstream: Upstream, target: Range<Int>) {
        guard !urlIsDescribed else { return }
        urlIsDescribed = true
        if upstream.isProcess { return }
        let output = output
        let start = upstream.urlStart
        let target = output.bytes.extracting(target)
        guard let question = target.firstIndex(of: UInt8(ascii: "?")) else {
            span.set(.urlFull, start.bytes, target)
            return
        }
        let redacted = redacted ?? OutputBuffer(capacity: 256)
        self.redacted = redacted
        redacted.removeAll()
        redacted.append(target.extracting(0...question))
        var inValue = false
        for offset in question + 1..<target.byteCount {
            let byte = target[byte: offset]
            if byte == UInt8(ascii: "&") { inValue = false }
            if !inValue { redacted.append(byte: byte) }
            if byte == UInt8(ascii: "="), !inValue {
                inValue = true
                redacted.append("REDACTED")
            }
        }
        span.set(.urlFull, start.bytes, redacted.bytes)
    }
}
