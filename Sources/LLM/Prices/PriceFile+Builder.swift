import JSON

extension PriceFile {
    /// Walks a price file once and notes where everything stands.
    struct Builder {
        var updated = ""
        var providers: [String: Int] = [:]
        var aliases: [String: String] = [:]
        var stopWords: [[UInt8]] = []
        var rules: [Rules] = []
        var entries: [Entry] = []
        var ids: [UInt8] = []

        mutating func read(_ bytes: RawSpan) throws(PriceFileError) {
            var reader = JSONReader(bytes)
            var isPriceFile = false
            do {
                guard try reader.enterObject() else { throw PriceFileError.notAPriceFile }
                entries.reserveCapacity(bytes.byteCount / 128)
                ids.reserveCapacity(bytes.byteCount / 6)
                while let key = try reader.nextMember() {
                    if key.is("updated") {
                        if let text = try reader.string() { updated = String(text) }
                    } else if key.is("provider_aliases"), try reader.enterObject() {
                        while let key = try reader.nextMember() {
                            if let name = try reader.string() { aliases[String(key).lowercased()] = String(name) }
                        }
                    } else if key.is("stop_words"), try reader.enterArray() {
                        while try reader.nextElement() {
                            if let word = try reader.string() { stopWords.append(word.lowercased) }
                        }
                    } else if key.is("providers") {
                        guard try reader.enterObject() else { throw PriceFileError.notAPriceFile }
                        isPriceFile = true
                        while let key = try reader.nextMember() { try readProvider(String(key), &reader) }
                    }
                }
                try reader.finish()
            } catch let error as PriceFileError {
                throw error
            } catch let error as JSONError {
                throw .notJSON(error, offset: reader.offset)
            } catch {
                throw .notAPriceFile
            }
            guard isPriceFile else { throw .notAPriceFile }
        }

        @_lifetime(reader: copy reader)
        private mutating func readProvider(_ name: String, _ reader: inout JSONReader) throws {
            let provider = rules.count
            guard provider < Int(UInt16.max), try reader.enterObject() else { throw PriceFileError.notAPriceFile }
            providers[name] = provider
            rules.append(Rules())
            while let key = try reader.nextMember() {
                if key.is("usage") {
                    if let word = try reader.string() { rules[provider].usage = UsageShape(word) }
                } else if key.is("match") {
                    try readMatch(name, provider, &reader)
                } else if key.is("models") {
                    guard try reader.enterObject() else { throw PriceFileError.notAPriceFile }
                    while let key = try reader.nextMember() {
                        let kind: Kind = try reader.peek() == .null ? .removed : .model
                        if let entry = add(key, provider, kind, value: reader.offset) { entries.append(entry) }
                    }
                }
            }
        }

        @_lifetime(reader: copy reader)
        private mutating func readMatch(_ name: String, _ provider: Int, _ reader: inout JSONReader) throws {
            guard try reader.enterObject() else { throw PriceFileError.notAPriceFile }
            while let key = try reader.nextMember() {
                if key.is("cut"), try reader.enterArray() {
                    var cuts: [CutPattern] = []
                    while try reader.nextElement() {
                        guard let text = try reader.string() else { continue }
                        guard let pattern = CutPattern(String(text)) else { throw PriceFileError.badPattern(provider: name, pattern: String(text)) }
                        cuts.append(pattern)
                    }
                    rules[provider].cut = cuts
                } else if key.is("fallback"), try reader.enterArray() {
                    while try reader.nextElement() {
                        if let other = try reader.string() { rules[provider].fallback.append(String(other)) }
                    }
                } else if key.is("prefix"), try reader.enterObject() {
                    while let key = try reader.nextMember() {
                        if let target = try reader.string() { rules[provider].prefix.append((key.lowercased, target.lowercased)) }
                    }
                } else if key.is("alias"), try reader.enterObject() {
                    while let key = try reader.nextMember() {
                        _ = try reader.peek()
                        if let entry = add(key, provider, .alias, value: reader.offset) { entries.append(entry) }
                    }
                }
            }
        }

        /// Puts the id among the ids. Nil for one that no model has.
        private mutating func add(_ key: borrowing JSONString, _ provider: Int, _ kind: Kind, value: Int) -> Entry? {
            let start = ids.count
            key.append(to: &ids)
            let length = ids.count - start
            guard length <= PriceCatalogue.longestID else {
                ids.removeLast(length)
                return nil
            }
            for index in start..<ids.count { ids[index] = ids[index].lowercased }
            return Entry(
                idStart: UInt32(start), idLength: UInt16(length), provider: UInt16(provider), kind: kind, name: UInt32(key.start - 1), value: UInt32(value))
        }
    }
}

extension JSONString {
    /// The decoded bytes, ASCII in lower case.
    var lowercased: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        for index in bytes.indices { bytes[index] = bytes[index].lowercased }
        return bytes
    }
}

extension UsageShape {
    init?(_ word: borrowing JSONString) {
        if word.is("openai") {
            self = .openai
        } else if word.is("anthropic") {
            self = .anthropic
        } else if word.is("gemini") {
            self = .gemini
        } else if word.is("bedrock") {
            self = .bedrock
        } else if word.is("xai") {
            self = .xai
        } else if word.is("perplexity") {
            self = .perplexity
        } else if word.is("cohere") {
            self = .cohere
        } else {
            return nil
        }
    }
}
