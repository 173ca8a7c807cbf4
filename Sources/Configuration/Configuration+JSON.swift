extension Configuration {
    /// The configuration in force as a JSON object, for `GET /api/config`: the keys of the file with defaults filled in, and
    /// under `environment` what came from there. Secrets are their references.
    public var json: String { written.json }

    var written: Written {
        guard case .map(var sections) = Self.form.write(self).actedOn(at: .root) else { return .null }
        sections.append(Written.Entry("environment", .map([.init("otel", openTelemetry.written), .init("proxies", proxies.written)])))
        return .map(sections)
    }
}

extension OpenTelemetry {
    fileprivate var written: Written {
        let root =
            switch sampler.root {
            case .alwaysOn: "always_on"
            case .alwaysOff: "always_off"
            case .traceIDRatio(let ratio): "traceidratio(\(ratio))"
            }
        return .map([
            .init("service_name", .text(serviceName)),
            .init("resource_attributes", .map(resourceAttributes.map { .init($0.key, .text($0.value)) })),
            .init("sampler", .text((sampler.isParentBased ? "parentbased_" : "") + root)),
            .init("propagators", .list([.text("tracecontext")] + (propagatesBaggage ? [.text("baggage")] : []))),
            .init("batch_export_timeout", batch.exportTimeout.map { .text(Time.text($0)) } ?? .text("none")),
            .init("batch_max_spans", .number(batch.maxSpans)),
            .init("attribute_value_length_limit", limits.attributeValueLength.map { .number($0) } ?? .null),
            .init("attribute_count_limit", .number(limits.attributeCount)),
            .init("event_count_limit", .number(limits.eventCount)),
            .init("link_count_limit", .number(limits.linkCount)),
            .init("event_attribute_count_limit", .number(limits.attributesPerEvent)),
            .init("link_attribute_count_limit", .number(limits.attributesPerLink)),
            .init("log_level", .text(logLevel.rawValue)),
            .init("disabled", .bool(isDisabled)),
        ])
    }
}

extension ProxySettings {
    fileprivate var written: Written {
        func shown(_ proxy: ProxyAddress?) -> Written {
            proxy.map { .text(($0.host.contains(":") ? "[\($0.host)]" : $0.host) + ":\($0.port)") } ?? .null
        }
        let exceptions = exceptions.map { exception -> Written in
            switch exception {
            case .everything: .text("*")
            case .domain(let domain, let port): .text(domain + (port.map { ":\($0)" } ?? ""))
            case .network(let network, let length, let port): .text("\(network)/\(length)" + (port.map { " port \($0)" } ?? ""))
            }
        }
        return .map([.init("http", shown(http)), .init("https", shown(https)), .init("exceptions", .list(exceptions))])
    }
}

extension Written {
    /// Without the keys that this build does not act on: they are not in force.
    fileprivate func actedOn(at place: Place) -> Written {
        guard case .map(let entries) = self else { return self }
        return .map(
            entries.compactMap { entry in
                let at = place.key(entry.key)
                return NotInThisBuild.keys.contains(at.pattern) ? nil : Entry(entry.key, entry.value.actedOn(at: at))
            })
    }

    /// RFC 8259, without whitespace.
    var json: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): String(value)
        case .text(let text): Self.quote(text)
        case .list(let items): "[" + items.map(\.json).joined(separator: ",") + "]"
        case .map(let entries): "{" + entries.map { Self.quote($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    /// A JSON string (RFC 8259 §7); also a double-quoted YAML scalar (YAML 1.2 §5.7).
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
