"""Tasks as they were in 2025-11-25: the SDK's first major version is the last that has them."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

import gateway as program
from collector import STATUS_ERROR, STATUS_UNSET, until
from test_mcp import FIRST_MAJOR, free_port

SCRIPT = str(Path(__file__).parent / "mcp_tasks_1.py")


@pytest.fixture(scope="module")
def tools(upstream, collector, tmp_path_factory):
    port = free_port()
    server = subprocess.Popen([FIRST_MAJOR, SCRIPT, "serve", str(port)], env=program.environment())
    made = program.Gateway(tmp_path_factory.mktemp("tasks"), program.configuration(upstream.url, collector) + f"mcp: {{ tasks: {{ url: 'http://127.0.0.1:{port}/mcp' }} }}\n")

    def answers():
        assert server.poll() is None
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code > 0
        except httpx.TransportError:
            return False

    assert until(answers, 120), "the MCP server did not start"
    yield made
    server.kill()
    server.wait(10)
    assert made.stop() == 0, made.log


def test_a_call_may_become_a_task_that_is_followed_asked_for_its_result_listed_and_cancelled(tools, collector, trace):
    made = subprocess.run([FIRST_MAJOR, SCRIPT, f"{tools.url}/mcp/tasks", trace.headers["traceparent"]], env=program.environment(), capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert {tool: {key: value for key, value in said[tool].items() if key != "id"} for tool in ("works", "asks", "fails", "lasts")} == {
        "works": {"began": "working", "seen": "completed", "result": "done"}, "asks": {"began": "working", "result": "hello Ada"},
        "fails": {"began": "working", "result": True}, "lasts": {"began": "working", "cancelled": "cancelled"}}
    assert said["tasks"] == 4

    hops = until(lambda: (found := [s for s in collector.spans if s.trace_id == trace.id]) and any(s.name == "DELETE mcp/tasks" for s in found) and found)
    assert {span.parent for span in hops} == {trace.parent}

    def about(name, task):
        return [span for span in hops if span.name == name and span.get("hopspan.mcp.task.id") == task]

    for tool in ("works", "asks", "fails", "lasts"):
        call, = about(f"tools/call {tool}", said[tool]["id"])
        assert call.status == STATUS_UNSET and call["gen_ai.operation.name"] == "execute_tool"
    assert about("tasks/get", said["works"]["id"]) and all(span.status == STATUS_UNSET for span in about("tasks/get", said["works"]["id"]))
    assert [about("tasks/result", said[tool]["id"])[0].status for tool in ("works", "asks")] == [STATUS_UNSET, STATUS_UNSET]
    # What the tool's own result says is true of the message that brings it.
    failed, = about("tasks/result", said["fails"]["id"])
    assert (failed.status, failed["error.type"]) == (STATUS_ERROR, "tool_error")
    assert about("tasks/cancel", said["lasts"]["id"])[0].status == STATUS_UNSET
    assert [span.status for span in hops if span.name == "tasks/list"] == [STATUS_UNSET]
    unknown, = about("tasks/get", "nobody's")
    assert (unknown.status, unknown["error.type"]) == (STATUS_ERROR, str(said["unknown"]))
    # The answer to what the task asked.
    assert [span.status for span in hops if span.name == "response"] == [STATUS_UNSET]
