"""What the api and the commands say of a run that real clients made."""

import json
from decimal import Decimal

import anthropic
import httpx
import openai
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from collector import INTERNAL, STATUS_UNSET, until
from gateway import hopspan

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def run(gateway):
    """A run that its caller names: two chats, one of them streamed, embeddings, a message, one failure. Its name."""
    headers = {"x-hopspan-run": "weather-42", "x-hopspan-agent": "forecaster", "x-session-id": "talk-7"}
    chat = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="sk-ok", max_retries=0, default_headers=headers)
    chat.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    list(chat.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    chat.embeddings.create(model="text-embedding-3-small", input="weather")
    claude = anthropic.Anthropic(base_url=f"{gateway.url}/anthropic", api_key="sk-ok", max_retries=0, default_headers=headers)
    claude.messages.create(model="claude-sonnet-4-6", max_tokens=10, messages=MESSAGES)
    with pytest.raises(openai.RateLimitError):
        chat.with_options(api_key="sk-429").chat.completions.create(model="gpt-4o", messages=MESSAGES)
    gateway.run("weather-42", hops=5)
    return "weather-42"


def leaves(node):
    return ([node] if node["kind"] == "llm" else []) + [leaf for child in node["children"] for leaf in leaves(child)]


def test_a_runs_totals_are_the_sums_of_its_hops(gateway, run):
    whole = gateway.api(f"/api/runs/{run}")
    hops = leaves(whole["root"])
    assert len(hops) == whole["hops"] == whole["llm_calls"] == 5
    assert whole["errors"] == 1 and whole["status"] == "error"
    assert whole["agent"] == "forecaster" and whole["conversation_id"] == "talk-7"
    assert sorted(whole["models"]) == ["claude-sonnet-4-6", "gpt-4o", "text-embedding-3-small"]
    assert sorted(whole["providers"]) == ["anthropic", "openai"]
    priced = [Decimal(hop["cost_usd"]) for hop in hops if hop["cost_usd"]]
    assert len(priced) == 4
    assert Decimal(whole["cost_usd"]) == sum(priced) == 2 * Decimal("0.00255") + Decimal("0.00000018") + Decimal("0.0019125")
    for counter in ("input", "output", "cache_read", "cache_write", "reasoning", "total"):
        assert whole["tokens"][counter] == sum(hop["tokens"][counter] for hop in hops if hop["tokens"]), counter
    assert whole["tokens"]["input"] == 1200 + 1200 + 9 + 1000
    assert whole["edges"] == whole["findings"] == [] and whole["suspect"] is None
    assert whole["root"]["kind"] == "run" and whole["root"]["name"] == "invoke_agent forecaster"


def test_a_run_is_in_the_list_as_it_is_alone(gateway, run):
    alone = gateway.api(f"/api/runs/{run}")
    listed, = [each for each in gateway.api("/api/runs?agent=forecaster")["runs"] if each["run_id"] == run]
    assert listed == {name: value for name, value in alone.items() if name in listed}
    assert set(alone) - set(listed) == {"cut", "root", "edges", "findings", "suspect"}


@pytest.mark.parametrize("by, keys", [
    ("model", {"gpt-4o", "claude-sonnet-4-6", "text-embedding-3-small"}), ("provider", {"openai", "anthropic"}), ("agent", {"forecaster"})])
def test_a_runs_cost_by_a_key_adds_up_to_its_total(gateway, run, by, keys):
    cost = gateway.api(f"/api/runs/{run}/cost?by={by}")
    assert {row["key"] for row in cost["rows"]} == keys
    assert sum(Decimal(row["cost_usd"]) for row in cost["rows"]) == Decimal(cost["total_usd"]) == Decimal(gateway.api(f"/api/runs/{run}")["cost_usd"])
    assert sum(row["calls"] for row in cost["rows"]) == 5


def test_spend_across_runs_agrees_with_the_runs(gateway, run):
    gateway.settled()
    runs = gateway.api("/api/runs?limit=1000")["runs"]
    cost = gateway.api("/api/cost?by=model")
    assert Decimal(cost["total_usd"]) == sum(Decimal(each["cost_usd"]) for each in runs if each["cost_usd"])


def test_the_stored_run_is_byte_for_byte_what_was_exported(gateway, collector, run):
    gateway.settled()
    answer = httpx.get(f"{gateway.api_url}/api/runs/{run}/otlp", headers={"accept": "application/x-protobuf"})
    data = TracesData.FromString(answer.content)
    stored = {span.span_id.hex(): span.SerializeToString() for rs in data.resource_spans for ss in rs.scope_spans for span in ss.spans}
    exported = {span.span_id: span.bytes for span in collector.spans}
    assert len(stored) == 5
    assert all(exported[each] == stored[each] for each in stored)
    text = httpx.get(f"{gateway.api_url}/api/runs/{run}/otlp").json()
    assert sorted(span["spanId"] for rs in text["resourceSpans"] for ss in rs["scopeSpans"] for span in ss["spans"]) == sorted(stored)


def test_the_run_command_prints_what_the_api_answers(gateway, run):
    printed = hopspan("run", run, "--json", "--api", gateway.api_url)
    assert printed.returncode == 0, printed.stderr
    asked = gateway.api(f"/api/runs/{run}")
    assert json.loads(printed.stdout)["root"] == asked["root"]
    tree = hopspan("run", run, HOPSPAN_API=gateway.api_url)
    assert tree.returncode == 0
    assert "chat gpt-4o" in tree.stdout and "429" in tree.stdout
    assert "\x1b" not in tree.stdout, "no colour where there is no terminal"
    assert "weather-42" in hopspan("runs", "--api", gateway.api_url).stdout
    assert "claude-sonnet-4-6" in hopspan("cost", "--by", "model", "--api", gateway.api_url).stdout


def test_ending_a_run_exports_its_root_with_the_totals(gateway, collector):
    client = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="sk-ok", max_retries=0)
    answer = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    run = answer.headers["x-hopspan-run"]
    version, trace_id, span_id, flags = answer.headers["traceresponse"].split("-")
    assert (version, trace_id) == ("00", run) and int(flags, 16) & 1
    hop, = collector.find(trace_id)
    assert hop.span_id == span_id and hop["hopspan.linked_by"] == "new"
    gateway.run(run)
    assert httpx.post(f"{gateway.api_url}/api/runs/{run}/end").status_code == 200
    root, = collector.find(trace_id, kind=INTERNAL)
    assert root.name == "invoke_agent" and hop.parent == root.span_id and root.parent == ""
    assert root["hopspan.run.cost_usd"] == hop["hopspan.cost.usd"] == "0.00255"
    assert (root["hopspan.run.hops"], root["hopspan.run.input_tokens"], root["hopspan.run.output_tokens"]) == (1, 1200, 80)
    assert gateway.api(f"/api/runs/{run}")["state"] == "closed"


def test_a_deleted_run_is_gone(gateway):
    client = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="sk-ok", max_retries=0)
    run = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES).headers["x-hopspan-run"]
    gateway.run(run)
    assert httpx.delete(f"{gateway.api_url}/api/runs/{run}").status_code == 204
    assert until(lambda: httpx.get(f"{gateway.api_url}/api/runs/{run}").status_code == 404)


@pytest.mark.parametrize("path, model, end", [
    ("openai/v1/chat/completions", "gpt-4o", "data: [DONE]"), ("openai/v1/responses", "gpt-4o", '"type": "response.completed"'),
    ("anthropic/v1/messages", "claude-sonnet-4-6", '"type": "message_stop"')])
def test_a_caller_that_hangs_up_at_the_streams_own_end_has_had_it_all(gateway, collector, trace, path, model, end):
    asked = {"model": model, "max_tokens": 10, "messages": MESSAGES, "input": "Hello", "stream": True}
    with httpx.stream("POST", f"{gateway.url}/{path}", json=asked, headers=trace.headers | {"authorization": "Bearer sk-linger"}) as answer:
        assert any(end in line for line in answer.iter_lines())
    span, = collector.find(trace.id)
    assert span.status == STATUS_UNSET and "error.type" not in span.attributes
    assert span["hopspan.cost.source"] == "catalogue"


def test_an_unsampled_trace_is_stored_and_not_exported(gateway, collector, trace):
    client = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="sk-ok", max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers={"traceparent": f"00-{trace.id}-{trace.parent}-00"})
    assert gateway.run(trace.id)["cost_usd"] == "0.00255"
    gateway.settled()
    assert not [span for span in collector.spans if span.trace_id == trace.id]


def test_an_unknown_run_is_a_problem_and_the_command_fails(gateway):
    answer = httpx.get(f"{gateway.api_url}/api/runs/nothing")
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("application/problem+json")
    assert hopspan("run", "nothing", "--api", gateway.api_url).returncode == 1
