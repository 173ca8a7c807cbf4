"""The runs that are sent through the gateway, and what its own query API says of them."""

import secrets

import anthropic
import httpx
import openai
import pytest

MESSAGES = [{"role": "user", "content": "How is the weather in Paris?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


class Story:
    """A run that its caller names and the gateway gives a root; and one hop below a span that its caller keeps for itself."""

    def __init__(self, gateway):
        self.parent, trace = secrets.token_hex(8), secrets.token_hex(16)
        self.tell(gateway, {"x-hopspan-run": "evening", "x-hopspan-agent": "forecaster", "x-session-id": "talk-7"})
        self.client(gateway, {"traceparent": f"00-{trace}-{self.parent}-01"}).chat.completions.create(model="gpt-4o", messages=MESSAGES)
        for run, hops in (("evening", 11), (trace, 1)):
            gateway.run(run, hops=hops)
            # A root is written when its run ends.
            assert httpx.post(f"{gateway.api_url}/api/runs/{run}/end").status_code == 200
        self.health = gateway.settled()
        self.named, self.lone = gateway.run("evening"), gateway.run(trace)

    def client(self, gateway, headers, key="sk-ok"):
        return openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key=key, max_retries=0, default_headers=headers)

    def tell(self, gateway, headers):
        """Eleven hops: plain, streamed, with tools, cached, failed, cut, without a price, not understood."""
        client = self.client(gateway, headers)
        claude = anthropic.Anthropic(base_url=f"{gateway.url}/anthropic", api_key="sk-ok", max_retries=0, default_headers=headers)
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS)
        list(client.responses.create(model="gpt-5.2", input="Hello", stream=True))
        client.embeddings.create(model="text-embedding-3-small", input="weather")
        claude.messages.create(model="claude-sonnet-4-6", max_tokens=10, messages=MESSAGES)
        list(claude.messages.create(model="claude-haiku-4-5", max_tokens=10, messages=MESSAGES, stream=True))
        with pytest.raises(openai.RateLimitError):
            self.client(gateway, headers, "sk-429").chat.completions.create(model="gpt-4o", messages=MESSAGES)
        with pytest.raises((openai.APIError, httpx.HTTPError)):
            list(self.client(gateway, headers, "sk-cut").chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        client.chat.completions.create(model="weather-model-of-our-own", messages=MESSAGES)
        client.models.list()

    def spans(self):
        """Every span that was exported, as a node of the query API, by its id."""
        return {node["span_id"]: node for run in (self.named, self.lone) for node in nodes(run["root"])}

    def trace_ids(self):
        return [run["trace_ids"][0] for run in (self.named, self.lone)]


def nodes(node):
    """A node and those below it; without the caller's own span, which the gateway knows by its id only."""
    below = [each for child in node["children"] for each in nodes(child)]
    return below if node["kind"] == "external" else [node] + below
