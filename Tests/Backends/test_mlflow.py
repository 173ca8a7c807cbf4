"""The runs as MLflow's tracking server shows them, through its REST API."""

import json
from decimal import Decimal

import pytest

from backend import until
from mlflow_api import trace, trace_ids


@pytest.fixture(scope="module")
def traces(mlflow, story):
    """Its traces by their ids: (info, spans by id)."""
    def asked():
        found = {each: trace(mlflow, f"tr-{each}") for each in story.trace_ids()}
        return sum(len(spans) for _, spans in found.values()) >= len(story.spans()) and found
    return until(asked, 30, "every span in MLflow")


@pytest.fixture(scope="module")
def spans(traces):
    return {identifier: span for _, spans in traces.values() for identifier, span in spans.items()}


def test_the_traces_are_found_in_the_experiment(mlflow, story, traces):
    assert {f"tr-{each}" for each in story.trace_ids()} <= set(trace_ids(mlflow))


def test_every_span_is_there_under_its_name_and_parent(story, spans):
    ours = story.spans()
    assert len(ours) == 13 and set(spans) == set(ours)
    for identifier, node in ours.items():
        span = spans[identifier]
        assert (span.trace_id, span.parent, span.name) == (node["trace_id"], node["parent_span_id"], node["name"])
    lone, = [span for span in spans.values() if span.trace_id == story.trace_ids()[1]]
    assert lone.parent == story.parent


def test_each_span_is_of_its_kind(story, spans):
    for identifier, node in story.spans().items():
        kind = {"run": "AGENT", "http": "UNKNOWN"}.get(node["kind"]) or ("EMBEDDING" if node["name"].startswith("embeddings ") else "CHAT_MODEL")
        assert spans[identifier].kind == kind, node["name"]
        if node["kind"] == "llm":
            assert spans[identifier].get("mlflow.llm.model") == (node["response_model"] or node["request_model"]), node["name"]
            assert spans[identifier].get("mlflow.llm.provider") == node["provider"], node["name"]


def test_each_span_ended_as_it_did(story, traces, spans):
    failed = {identifier: span for identifier, span in spans.items() if span.status.get("code") == "STATUS_CODE_ERROR"}
    assert set(failed) == {node["span_id"] for node in story.spans().values() if node["status"] == "error"}
    messages = sorted(span.status["message"].partition(".")[0] for span in failed.values() if span.parent)
    assert messages == ["Rate limit reached", "openai ended its answer before the end"]
    named, lone = (traces[each][0] for each in story.trace_ids())
    # A trace is open there until a span without a parent comes: here the caller has it and keeps it.
    assert (named["state"], lone["state"]) == ("ERROR", "IN_PROGRESS")


def test_each_spans_tokens_are_ours(story, traces, spans):
    counted = 0
    for identifier, node in story.spans().items():
        usage, tokens = spans[identifier].get("mlflow.chat.tokenUsage"), node["tokens"]
        if not tokens:
            assert not usage, node["name"]
            continue
        counted += 1
        names = {"input_tokens": "input", "output_tokens": "output", "cache_read_input_tokens": "cache_read", "cache_creation_input_tokens": "cache_write"}
        assert {name: usage.get(name, 0) for name in names} == {name: tokens[ours] for name, ours in names.items()}, node["name"]
        # A total it makes only where there are both: an embedding has no output.
        assert usage.get("total_tokens") == (None if node["name"].startswith("embeddings ") else tokens["total"]), node["name"]
    assert counted == 9
    for run in (story.named, story.lone):
        usage = json.loads(traces[run["trace_ids"][0]][0]["trace_metadata"]["mlflow.trace.tokenUsage"])
        assert (usage["input_tokens"], usage["output_tokens"]) == (run["tokens"]["input"], run["tokens"]["output"])


def test_each_spans_cost_is_ours(story, traces, spans):
    priced = 0
    for identifier, node in story.spans().items():
        span = spans[identifier]
        if node["cost_usd"] is None:
            assert not span.get("mlflow.llm.cost") and span.get("gen_ai.usage.cost") is None, node["name"]
            continue
        priced += 1
        assert Decimal(span.get("hopspan.cost.usd")) == Decimal(str(span.get("gen_ai.usage.cost"))) == Decimal(node["cost_usd"]), node["name"]
        # Its own, from the tokens and the prices it brings.
        assert span.get("mlflow.llm.cost")["total_cost"] == pytest.approx(float(node["cost_usd"]), rel=1e-9), node["name"]
    assert priced == 8
    for run in (story.named, story.lone):
        cost = json.loads(traces[run["trace_ids"][0]][0]["trace_metadata"]["mlflow.trace.cost"])
        assert cost["total_cost"] == pytest.approx(float(run["cost_usd"]), rel=1e-9)


def test_the_run_is_a_session_of_its_conversation(story, traces):
    assert traces[story.trace_ids()[0]][0]["trace_metadata"]["mlflow.trace.session"] == story.named["conversation_id"] == "talk-7"
