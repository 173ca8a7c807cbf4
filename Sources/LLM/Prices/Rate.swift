import JSON
import Tracing

/// A rate of a price list, by what it is paid for: the field names of the catalogue, in its order.
public enum Rate: UInt8, Sendable, CaseIterable {
    case input, output, cacheRead, cacheWrite5m, cacheWrite1h, cacheWrite12h, reasoning, citation
    case audioInput, audioOutput, audioCacheRead, imageInput, imageOutput, imageCacheRead, videoInput, videoOutput

    public var name: StaticString {
        switch self {
        case .input: "input"
        case .output: "output"
        case .cacheRead: "cache_read"
        case .cacheWrite5m: "cache_write_5m"
        case .cacheWrite1h: "cache_write_1h"
        case .cacheWrite12h: "cache_write_12h"
        case .reasoning: "reasoning"
        case .citation: "citation"
        case .audioInput: "audio_in"
        case .audioOutput: "audio_out"
        case .audioCacheRead: "audio_cache_read"
        case .imageInput: "image_in"
        case .imageOutput: "image_out"
        case .imageCacheRead: "image_cache_read"
        case .videoInput: "video_in"
        case .videoOutput: "video_out"
        }
    }

    /// The rate that stands in where this one is not given.
    var parent: Rate? {
        switch self {
        case .input, .output: nil
        case .cacheRead, .cacheWrite5m, .audioInput, .imageInput, .videoInput: .input
        case .cacheWrite1h, .cacheWrite12h: .cacheWrite5m
        case .reasoning, .citation, .audioOutput, .imageOutput, .videoOutput: .output
        case .audioCacheRead, .imageCacheRead: .cacheRead
        }
    }

    init?(_ key: borrowing JSONString) {
        for rate in Rate.allCases where key.is(rate.name) {
            self = rate
            return
        }
        return nil
    }

    static let count = 16
}

/// Some of the sixteen rates, each in USD per token.
struct Rates: Sendable {
    private var perToken = InlineArray<16, Int128>(repeating: 0)
    private(set) var given: UInt16 = 0

    subscript(rate: Rate) -> Int128? {
        get { given & 1 << rate.rawValue == 0 ? nil : perToken[Int(rate.rawValue)] }
        set {
            perToken[Int(rate.rawValue)] = newValue ?? 0
            if newValue == nil { given &= ~(1 << rate.rawValue) } else { given |= 1 << rate.rawValue }
        }
    }

    /// These rates with those of `other` put over them.
    func overlaid(with other: Rates) -> Rates {
        var result = self
        for rate in Rate.allCases {
            if let price = other[rate] { result[rate] = price }
        }
        return result
    }

    /// These rates with every missing one taken from its parent, as far as there is one.
    func completed() -> Rates {
        var result = self
        for rate in Rate.allCases where result[rate] == nil {
            var ancestor = rate.parent
            while let candidate = ancestor {
                if let price = self[candidate] {
                    result[rate] = price
                    break
                }
                ancestor = candidate.parent
            }
        }
        // A model that gives nothing but pictures or sound has no plain output rate, and answers that do not say what they hold.
        if result[.output] == nil { result[.output] = self[.imageOutput] ?? self[.audioOutput] }
        return result
    }
}

extension USD {
    /// What one of `count` costs where that many cost this; nil where it is not exact in 20 decimals.
    func divided(by count: Int128) -> USD? {
        let (quotient, remainder) = units.quotientAndRemainder(dividingBy: count)
        return remainder == 0 ? USD(units: quotient) : nil
    }
}
