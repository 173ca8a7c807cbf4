"""The runs as Phoenix shows them: through GraphQL, which its own page reads, and through its REST API."""

from decimal import Decimal

import pytest

from backend import until

SPANS = """
query ($trace: String!) {
  getTraceByOtelId(traceId: $trace) {
    rootSpan { spanId }
    session { sessionId }
    costSummary { total { cost } }
    spans(first: 100) { edges { node {
      spanId parentId name spanKind statusCode statusMessage tokenCountPrompt tokenCountCompletion tokenCountTotal
      costSummary { total { cost } }
    } } }
  }
}"""


@pytest.fixture(scope="module")
def traces(phoenix, story):
    """Its traces by their ids, once everything is in."""
    def asked():
        answers = {trace: phoenix.post("/graphql", {"query": SPANS, "variables": {"trace": trace}}) for trace in story.trace_ids()}
        assert not any(answer.get("errors") for answer in answers.values()), answers
        found = {trace: answer["data"]["getTraceByOtelId"] for trace, answer in answers.items()}
        return all(found.values()) and sum(len(trace["spans"]["edges"]) for trace in found.values()) >= len(story.spans()) and found
    return until(asked, 30, "every span in Phoenix")


@pytest.fixture(scope="module")
def spans(traces):
    return {edge["node"]["spanId"]: edge["node"] for trace in traces.values() for edge in trace["spans"]["edges"]}


@pytest.fixture(scope="module")
def listed(phoenix, story, spans):
    """The same spans by the REST API, whose attributes are those that came and those that Phoenix made of them."""
    found = phoenix.get("/v1/projects/default/spans", trace_id=story.trace_ids(), limit=1000)["data"]
    return {span["context"]["span_id"]: span for span in found}


def test_every_span_is_there_under_its_name_and_parent(story, traces, spans, listed):
    ours = story.spans()
    assert len(ours) == 13 and set(spans) == set(listed) == set(ours)
    for identifier, node in ours.items():
        assert (spans[identifier]["name"], spans[identifier]["parentId"]) == (node["name"], node["parent_span_id"])
        assert listed[identifier]["context"]["trace_id"] == node["trace_id"]
        assert (listed[identifier]["name"], listed[identifier]["parent_id"]) == (node["name"], node["parent_span_id"])
    named, lone = (traces[trace] for trace in story.trace_ids())
    assert named["rootSpan"]["spanId"] == story.named["root"]["span_id"] and named["session"]["sessionId"] == "talk-7"
    hop, = [span for span in ours.values() if span["trace_id"] == story.trace_ids()[1]]
    assert hop["parent_span_id"] == story.parent and lone["rootSpan"]["spanId"] == hop["span_id"]


def test_each_span_is_of_its_kind(story, spans, listed):
    for identifier, node in story.spans().items():
        kind = {"run": "agent", "http": "unknown"}.get(node["kind"]) or ("embedding" if node["name"].startswith("embeddings ") else "llm")
        assert spans[identifier]["spanKind"] == kind, node["name"]
        assert listed[identifier]["span_kind"] == kind.upper(), node["name"]


def test_each_span_ended_as_it_did(story, spans):
    failed = [span for span in spans.values() if span["statusCode"] == "ERROR"]
    assert {span["spanId"] for span in failed} == {node["span_id"] for node in story.spans().values() if node["status"] == "error"}
    messages = sorted(span["statusMessage"].partition(".")[0] for span in failed if span["parentId"])
    assert messages == ["Rate limit reached", "openai ended its answer before the end"]


def test_each_spans_tokens_are_ours(story, spans, listed):
    counted = 0
    for identifier, node in story.spans().items():
        span, attributes, tokens = spans[identifier], listed[identifier]["attributes"], node["tokens"]
        if not tokens:
            assert not span["tokenCountTotal"] and "llm.token_count.prompt" not in attributes, node["name"]
            continue
        counted += 1
        assert attributes["llm.token_count.prompt"] == tokens["input"], node["name"]
        assert attributes.get("llm.token_count.completion", 0) == tokens["output"], node["name"]
        assert attributes.get("llm.token_count.prompt_details.cache_read", 0) == tokens["cache_read"], node["name"]
        if span["spanKind"] == "llm":  # it counts the tokens of no other kind
            assert (span["tokenCountPrompt"], span["tokenCountCompletion"]) == (tokens["input"], tokens["output"]), node["name"]
            assert span["tokenCountTotal"] == tokens["total"], node["name"]
    assert counted == 9


def test_each_priced_span_carries_our_cost(story, listed):
    priced = 0
    for identifier, node in story.spans().items():
        attributes = listed[identifier]["attributes"]
        if node["cost_usd"] is None:
            assert "llm.cost.total" not in attributes, node["name"]
            continue
        priced += 1
        assert Decimal(str(attributes["llm.cost.total"])) == Decimal(node["cost_usd"]) == Decimal(attributes["hopspan.cost.usd"]), node["name"]
    assert priced == 8


def test_what_phoenix_itself_makes_of_a_models_tokens_is_our_cost(story, traces, spans):
    """It reads no cost: it multiplies tokens with its own prices. Of the counter of tokens written to a cache it knows an older name
    only (`cache_creation`), so it takes those tokens for plain input; embeddings it does not price."""
    expected = {trace: Decimal(0) for trace in traces}
    for identifier, node in story.spans().items():
        summary = spans[identifier]["costSummary"]
        shown = summary and summary["total"]["cost"]
        if node["cost_usd"] is None or node["name"].startswith("embeddings "):
            assert shown is None, node["name"]
            continue
        cost, price, written = Decimal(node["cost_usd"]), node["price"], node["tokens"]["cache_write"]
        if written:
            cost -= written * (Decimal(price["cache_write_5m"]) - Decimal(price["input"])) / 1_000_000
        assert shown == pytest.approx(float(cost), rel=1e-9), node["name"]
        expected[node["trace_id"]] += cost
    for trace, cost in expected.items():
        assert traces[trace]["costSummary"]["total"]["cost"] == pytest.approx(float(cost), rel=1e-9)
