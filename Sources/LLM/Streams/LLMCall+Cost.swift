extension LLMCall {
    /// What the call cost, by the model that answered, else by the one that was asked for.
    /// - Parameters:
    ///   - provider: `gen_ai.provider.name`.
    ///   - seconds: when the call was made, Unix time.
    ///   - isComplete: false where the answer was cut: what its counters say is then an estimate.
    public func cost(by prices: PriceBook, provider: RawSpan, at seconds: Int64, isComplete: Bool) -> CallCost {
        settleUsage()
        return withModel { prices.cost(of: settledUsage, provider: provider, model: $0, at: seconds, isComplete: isComplete) }
    }
}
