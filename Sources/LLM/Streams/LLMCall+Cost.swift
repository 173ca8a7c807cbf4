extension LLMCall {
    /// What the call cost: by the price configured for the model that was asked for, where there is one (an Azure deployment, or
    /// whatever a server of one's own calls its models), else by the model that answered; by the one asked for where the answer names none.
    /// - Parameters:
    ///   - provider: `gen_ai.provider.name`.
    ///   - seconds: when the call was made, Unix time.
    ///   - isComplete: false where the answer was cut, or not read to its end: what its counters say is then an estimate.
    public func cost(by prices: PriceBook, provider: RawSpan, at seconds: Int64, isComplete: Bool) -> CallCost {
        settleUsage()
        if prices.hasConfigured, !response.model.isEmpty, !request.model.isEmpty {
            let texts = request.texts
            if prices.isConfigured(provider: provider, model: texts[request.model]) {
                return cost(of: texts[request.model], by: prices, provider: provider, at: seconds, isComplete: isComplete)
            }
        }
        // Bedrock's prices go by its own ids, which the models do not know.
        if api == .invokeModel, !response.model.isEmpty {
            let asked = withRequestModel { cost(of: $0, by: prices, provider: provider, at: seconds, isComplete: isComplete) }
            if asked.sheet != nil { return asked }
        }
        return withModel { cost(of: $0, by: prices, provider: provider, at: seconds, isComplete: isComplete) }
    }

    private func cost(of model: RawSpan, by prices: PriceBook, provider: RawSpan, at seconds: Int64, isComplete: Bool) -> CallCost {
        guard api == .messages || api == .invokeModel, !response.anthropicUsage.iterations.isEmpty else {
            return prices.cost(of: settledUsage, provider: provider, model: model, at: seconds, isComplete: isComplete)
        }
        return prices.cost(
            ofIterations: response.anthropicUsage.iterations, in: settledUsage, provider: provider, model: model, at: seconds, isComplete: isComplete)
    }
}
