import LLM
import Testing

@Suite struct `The API of a request` {
    @Test(arguments: [
        (Provider.Dialect.openai, "/v1/chat/completions", API?.some(.chatCompletions)),
        (.openai, "/chat/completions", .chatCompletions),
        (.openai, "/openai/deployments/gpt/chat/completions?api-version=2024-10-21", .chatCompletions),
        (.openai, "/v1beta/openai/chat/completions", .chatCompletions),
        (.openai, "/v1/chat/completions/", nil),
        (.openai, "/v1/chat/completions/chatcmpl-1", nil),
        (.openai, "/v1/completions", nil),
        (.openai, "/v1/notchat/completions", nil),
        (.openai, "/v1/responses", .responses),
        (.openai, "/openai/responses?api-version=preview", .responses),
        (.openai, "/v1/responses/resp_1", nil),
        (.openai, "/v1/responses/resp_1/cancel", nil),
        (.openai, "/v1/responses/input_tokens", nil),
        (.openai, "/v1/responses/compact", nil),
        (.openai, "/v1/embeddings", .embeddings),
        (.openai, "/v1/files?purpose=/v1/embeddings", nil),
        (.openai, "/anthropic/v1/messages", .messages),
        (.openai, "/v1/threads/thread_1/messages", nil),
        (.anthropic, "/v1/messages", .messages),
        (.anthropic, "/v1/messages?beta=true", .messages),
        (.anthropic, "/messages", .messages),
        (.anthropic, "/v1/messages/count_tokens", nil),
        (.anthropic, "/v1/messages/count_tokens?beta=true", nil),
        (.anthropic, "/v1/messages/batches", nil),
        (.anthropic, "/v1/chat/completions", .chatCompletions),
        (.anthropic, "/", nil),
        (.openai, "", nil),
        (.other, "/gemini/v1beta/models/gemini-2.5-pro:generateContent", .generateContent),
        (.other, "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", .generateContent),
        (.openai, "/v1/models/gemini-2.5-pro%3AgenerateContent", .generateContent),
        (.other, "/v1/projects/p/locations/l/endpoints/1234:streamGenerateContent", .generateContent),
        (.other, "/v1beta/models/gemini-embedding-2:batchEmbedContents", .embedContent),
        (.other, "/v1beta/models/gemini-embedding-2:embedContent", .embedContent),
        (.other, "/v1beta/models/gemini-2.5-pro:countTokens", nil),
        (.other, "/v1beta/models/gemini-2.5-pro:batchGenerateContent", nil),
        (.other, "/v1beta/models/gemini-2.5-pro", nil),
        (.other, "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4-5@20251101:rawPredict", .messages),
        (.other, "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4-5:streamRawPredict", .messages),
        (.other, "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict", nil),
        (.other, "/v1/projects/p/locations/l/publishers/mistralai/models/mistral-small:rawPredict", nil),
        (.other, "/bedrock/model/us.amazon.nova-lite-v1%3A0/converse", .converse),
        (.other, "/model/us.amazon.nova-lite-v1:0/converse-stream", .converse),
        (.other, "/model/arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0/invoke", .invokeModel),
        (.other, "/model/amazon.nova-lite-v1%3A0/invoke-with-response-stream", .invokeModel),
        (.other, "/model/amazon.nova-lite-v1%3A0/count-tokens", nil),
        (.other, "/model/converse", nil),
        (.other, "/model//converse", nil),
        (.other, "/guardrail/g/version/1/apply", nil),
        (.other, "/cohere/v2/chat", .cohereChat),
        (.other, "/v2/embed", .cohereEmbed),
        (.other, "/v2/rerank", nil),
        (.openai, "/v2/chat", nil),
    ]) func `is told by its path`(dialect: Provider.Dialect, path: String, api: API?) {
        #expect(API(dialect: dialect, method: "POST", path: path) == api)
    }

    @Test(arguments: ["GET", "DELETE", "post", "POSTS", ""]) func `is none unless posted`(method: String) {
        #expect(API(dialect: .openai, method: method, path: "/v1/responses") == nil)
    }

    @Test(arguments: [
        ("/openai/deployments/my-gpt_4.1/chat/completions?api-version=1", "my-gpt_4.1"),
        ("/v1/openai/deployments/a/chat/completions", "a"),
        ("/openai/deployments//chat/completions", "body"),
        ("/openai/deployments/chat", "body"),
        ("/openai/v1/chat/completions", "body"),
    ]) func `has its model in an Azure path`(path: String, model: String) {
        let call = LLMCall()
        call.readRequest(#"{"model":"body"}"#, api: .chatCompletions, path: path)
        #expect(call.printed.contains("name: chat \(model)\n"))
    }
}
