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
    a2a = "".join(f"\n  sdk-{version}: {{ url: '{agent.url}', price_per_call: '0.05' }}" for version, agent in agents.items())
    a2a += f"\n  absent: {{ url: 'http://127.0.0.1:{free_port()}' }}"
    made = program.Gateway(tmp_path_factory.mktemp("delegation"), program.configuration(upstream.url, collector) + "a2a:" + a2a)
    yield made
    assert made.stop() == 0, made.log


def client(version, url, binding, trace, *more):
    """What a client of the SDK gets to see."""
    made = subprocess.run(
        [PYTHONS[version], str(HERE / f"a2a_client_{version}.py"), url, binding, trace.headers["traceparent"], *more], env=program.environment(),
        capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
@pytest.mark.parametrize("caller", ["1", "0"])
@pytest.mark.parametrize("callee", ["1", "0"])
def test_a_client_gets_what_it_gets_without_us_and_every_call_is_a_hop(delegation, agents, collector, trace, caller, callee, binding):
    direct = client(caller, agents[callee].url, binding, trace)
    said = client(caller, f"{delegation.url}/a2a/sdk-{callee}", binding, trace, agents[callee].url)
    for cards in ("interfaces", "skills", "signatures", "extended skills"):
        direct.pop(cards), said.pop(cards)
    assert said == direct
    assert said["fail, streamed"][1] == "failed" and said["cancelled"] == "canceled" and said["left"] == "working"

    def found():
        spans = [s for s in collector.spans if s.trace_id == trace.id and s.get("a2a.method.name")]
        return len(spans) >= 20 and spans
    spans = until(found)
    assert spans
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
