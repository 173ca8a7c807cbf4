"""The README's lines: the environment says where spans go, and the demo's run is there."""

from collections import Counter

import pytest

import gateway as program
from backend import until
from mlflow_api import trace, trace_ids

DESTINATIONS = {"phoenix": {}, "mlflow": {"OTEL_EXPORTER_OTLP_HEADERS": "x-mlflow-experiment-id=0"}}


@pytest.fixture(params=DESTINATIONS)
def sent(request, serving):
    """Runs the demo; the back end's name and the back end."""
    back_end = serving[request.param]
    ended = program.hopspan("demo", OTEL_EXPORTER_OTLP_ENDPOINT=back_end.url, **DESTINATIONS[request.param])
    assert ended.returncode == 0 and "invoke_agent incident-analyst" in ended.stdout, ended.stderr
    return request.param, back_end


def test_the_demos_run_is_in_the_back_end(sent):
    name, back_end = sent
    counts = {"phoenix": in_phoenix, "mlflow": in_mlflow}[name]
    # The root, eight model calls, one of which failed, three tool calls, one more of which failed, and a question to another agent.
    assert until(lambda: counts(back_end), 30, f"the demo's run in {name}") == (13, {"AGENT": 2, "LLM": 8, "TOOL": 3})


def in_phoenix(phoenix):
    roots = phoenix.get("/v1/projects/default/spans", name="invoke_agent incident-analyst")["data"]
    if not roots:
        return None
    root, = roots
    spans = phoenix.get("/v1/projects/default/spans", trace_id=root["context"]["trace_id"])["data"]
    return len(spans) >= 13 and (len(spans), counted(span["span_kind"] for span in spans))


def in_mlflow(mlflow):
    for each in trace_ids(mlflow):
        _, spans = trace(mlflow, each)
        if len(spans) >= 13 and any(span.name == "invoke_agent incident-analyst" for span in spans.values()):
            return len(spans), counted(span.kind.replace("CHAT_MODEL", "LLM") for span in spans.values())
    return None


def counted(kinds):
    return dict(sorted(Counter(kinds).items()))
