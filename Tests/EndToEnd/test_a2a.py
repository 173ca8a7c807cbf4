"""A2A agents behind the gateway, with the official SDK on both sides."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

import gateway as program
from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from loopback import free_port

HERE = Path(__file__).parent
#: With the SDK of A2A 1.0, and with its last version before.
PYTHONS = {version: os.path.abspath(HERE.parents[1] / f".build/venv-a2a-{version}/bin/python") for version in "10"}
VERSIONS = {"1": "1.0", "0": "0.3"}


class Agent:
    def __init__(self, folder, version):
        self.port, self.file = free_port(), Path(folder) / f"spans-{version}.jsonl"
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([PYTHONS[version], str(HERE / "a2a_server.py"), str(self.port), str(self.file)], env=program.environment())
        assert until(self.answers, 60), "the agent did not start"

    def answers(self):
        assert self.process.poll() is None
        try:
            return httpx.get(f"{self.url}/.well-known/agent-card.json", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def spans(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def stop(self):
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    made = {version: Agent(tmp_path_factory.mktemp("a2a"), version) for version in PYTHONS}
    yield made
    for each in made.values():
        each.stop()


@pytest.fixture(scope="module")
def delegation(agents, upstream, collector, tmp_path_factory):
    """A gateway with the agents behind it."""
    a2a = "".join(f"\n  sdk-{version}: {{ url: '{agent.url}', price_per_call: '0.05', skills: {{ deny: ['delete_*'] }} }}" for version, agent in agents.items())
    a2a += f"\n  absent: {{ url: 'http://127.0.0.1:{free_port()}' }}"
    made = program.Gateway(tmp_path_factory.mktemp("delegation"), program.configuration(upstream.url, collector) + "a2a:" + a2a)
    yield made
    assert made.stop() == 0, made.log


def client(version, url, binding, trace):
    """What a client of the SDK gets to see."""
    made = subprocess.run(
        [PYTHONS[version], str(HERE / f"a2a_client_{version}.py"), url, binding, trace.headers["traceparent"]], env=program.environment(),
        capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
@pytest.mark.parametrize("caller", ["1", "0"])
@pytest.mark.parametrize("callee", ["1", "0"])
def test_a_client_gets_what_it_gets_without_us_and_every_call_is_a_hop(delegation, agents, collector, trace, caller, callee, binding):
    direct = client(caller, agents[callee].url, binding, trace)
    said = client(caller, f"{delegation.url}/a2a/sdk-{callee}", binding, trace)
    # The card leads here, and shows less: no binding that does not pass, no skill that is denied, no signature of what is changed.
    assert {(path, binding) for path, binding, *_ in said["interfaces"]} == {("", "JSONRPC"), ("/rest", "HTTP+JSON")}
    assert said["skills"] == ["research"] and said["extended skills"] == ["research", "secret"] and said["signatures"] == 0
    assert direct["skills"] == ["research", "delete_all"] and direct["signatures"] == 1
    for cards in ("interfaces", "skills", "signatures", "extended skills"):
        direct.pop(cards), said.pop(cards)
    assert said == direct
    assert said["fail, streamed"][1] == "failed" and said["cancelled"] == "canceled" and said["left"] == "working"

    def found():
        spans = [s for s in collector.spans if s.trace_id == trace.id and s.get("a2a.method.name")]
        return len(spans) >= 20 and spans
    spans = until(found)
    assert spans
    assert {span.get("gen_ai.agent.version") for span in spans} <= {"7.1", None}
    for span in spans:
        assert span.kind == CLIENT and span["hopspan.hop.kind"] == "agent" and span["gen_ai.agent.name"] == f"sdk-{callee}"
        assert span.parent == trace.parent and span["hopspan.linked_by"] == "traceparent"
        assert span["a2a.protocol.version"] == ("1.0" if caller == callee == "1" else "0.3")
    sends = [span for span in spans if span["a2a.method.name"] in ("SendMessage", "SendStreamingMessage")]
    assert {span.name for span in sends} == {f"invoke_agent sdk-{callee}"}
    assert {span.name for span in spans if span not in sends} >= {"GetTask", "CancelTask", "SubscribeToTask", "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig"}
    outcomes = {state: [(span.status, span.get("error.type")) for span in sends if span.get("a2a.task.state") == f"TASK_STATE_{state}"] for state in ("COMPLETED", "FAILED", "REJECTED", "INPUT_REQUIRED", "AUTH_REQUIRED")}
    assert outcomes == {
        "COMPLETED": [(STATUS_UNSET, None)] * 3, "FAILED": [(STATUS_ERROR, "failed")] * 2, "REJECTED": [(STATUS_ERROR, "rejected")] * 2,
        "INPUT_REQUIRED": [(STATUS_UNSET, None)] * 2, "AUTH_REQUIRED": [(STATUS_ERROR, "auth_required")] * 2}
    for span in sends:
        assert span["gen_ai.operation.name"] == "invoke_agent" and span["hopspan.cost.usd"] == "0.05" and span["a2a.message.id"]
    run = delegation.run(trace.id, hops=20)
    assert run["agent_calls"] == 14 and run["agents"] == [f"sdk-{callee}"]
    rows = delegation.api(f"/api/runs/{trace.id}/cost?by=agent")["rows"]
    assert [(row["key"], row["cost_usd"]) for row in rows] == [(f"sdk-{callee}", "0.7")]


def test_an_agent_that_is_down_is_told_of_in_the_protocols_own_words(delegation, collector, trace):
    call = {"jsonrpc": "2.0", "id": "c1", "method": "SendMessage", "params": {"message": {"messageId": "m", "role": "ROLE_USER", "parts": []}}}
    made = httpx.post(f"{delegation.url}/a2a/absent", json=call, headers=trace.headers)
    assert made.status_code == 200 and made.json()["id"] == "c1"
    assert made.json()["error"]["code"] == -32603 and "a2a.absent.url" in made.json()["error"]["message"]
    made = httpx.post(f"{delegation.url}/a2a/absent/message:send", json=call["params"], headers=trace.headers)
    assert made.status_code == 502 and made.json()["error"]["status"] == "UNAVAILABLE" and made.json()["error"]["details"][0]["reason"] == "CONNECT_ERROR"
    for span in collector.find(trace.id, count=2):
        assert span.name == "invoke_agent absent" and span.status == STATUS_ERROR and span["error.type"] == "connect_error"


def test_an_unknown_agent_is_refused_with_what_to_do(delegation):
    made = httpx.post(f"{delegation.url}/a2a/nobody", json={})
    assert made.status_code == 404 and "a2a:" in made.text


def test_a_card_may_be_asked_for_again_by_its_tag(delegation):
    url = f"{delegation.url}/a2a/sdk-1/.well-known/agent-card.json"
    made = httpx.get(url)
    assert made.status_code == 200 and made.headers["cache-control"] == "public, max-age=60"
    assert delegation.url in made.text and "signatures" not in made.json() and "delete_all" not in made.text
    again = httpx.get(url, headers={"if-none-match": f'"other", W/{made.headers["etag"]}'})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == made.headers["etag"]
    assert httpx.get(url, headers={"if-none-match": '"other"'}).content == made.content
    # By another of the gateway's names it is another card.
    other = httpx.get(url.replace("127.0.0.1", "localhost"), headers={"if-none-match": made.headers["etag"]})
    assert other.status_code == 200 and delegation.url.replace("127.0.0.1", "localhost") in other.text
    assert delegation.url not in other.text
    head = httpx.head(url)
    assert head.status_code in (200, 405) and "etag" not in head.headers


def ask(agents, delegation, folder, callee, mode):
    """An agent that asks another one that asks a model, all through the gateway: what each of them recorded, and the trace."""
    file = Path(folder) / "agent.jsonl"
    made = subprocess.run(
        [PYTHONS["1"], str(HERE / "a2a_agent.py"), f"{delegation.url}/a2a/sdk-{callee}", f"{delegation.url}/openai/v1/chat/completions", str(file), mode],
        env=program.environment(), capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["trace_id"], [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("mode", ["instrumented", "metadata", "plain"])
@pytest.mark.parametrize("callee", ["1", "0"])
def test_a_delegation_is_one_tree_from_the_agent_to_the_sub_agents_model(delegation, agents, collector, tmp_path, callee, mode):
    trace_id, agent = ask(agents, delegation, tmp_path, callee, mode)
    spans = collector.find(trace_id, count=3 if mode == "instrumented" else 2)
    send = next(span for span in spans if span.name == f"invoke_agent sdk-{callee}")
    model = next(span for span in spans if span.name == "chat gpt-4o-mini")
    theirs = until(lambda: (found := [s for s in agents[callee].spans if s["trace_id"] == trace_id]) and {s["name"] for s in found} >= {"execute", "POST"} and found)
    assert theirs, [s for s in agents[callee].spans if s["trace_id"] == trace_id]
    by_id = {span["span_id"]: span for span in theirs}
    # The agent's own span is our parent, where it has one.
    if mode == "instrumented":
        assert send.parent in {span["span_id"] for span in agent if span["kind"] == "CLIENT"}
    elif mode == "metadata":
        assert send.parent == "00f067aa0ba902b7" and send["hopspan.linked_by"] == "traceparent"
    else:
        assert send["hopspan.linked_by"] == "new"
    # We are the parent that the sub-agent sees, on both channels.
    served = [span for span in theirs if span["parent"] == send.span_id]
    assert [span["kind"] for span in served] == ["SERVER"]
    execute = next(span for span in theirs if span["name"] == "execute")
    assert execute["metadata"] == f"00-{trace_id}-{send.span_id}-{execute['metadata'][-2:]}"
    # And what it does hangs below it.
    span, path = by_id[model.parent], []
    while span:
        path.append(span["span_id"])
        span = by_id.get(span["parent"])
    assert execute["span_id"] in path and served[0]["span_id"] == path[-1]
    run = delegation.run(trace_id, hops=2)
    assert run["llm_calls"] == 1 and run["agent_calls"] == 1 and run["agents"][-1:] == [f"sdk-{callee}"]
