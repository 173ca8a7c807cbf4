"""Killed under load, a collector that is away, and the end in good order: what was stored arrives."""

import json
import resource
import signal
import socket
import threading

import httpx
import openai
import pytest

from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from gateway import hopspan
from load import Load
from stand_in import TEXT

#: An answered request's span is on disk within 200 ms. Nobody measures that here, where others build and test beside us: what the health says
#: is stored must arrive, and it must say so of what has been answered within fifty times as long.
BOUND = 10


def stored(gateway, load):
    """What has been answered by now, once the health says that it is on disk."""
    answered = {trace_id for trace_id, _, _ in list(load.answered)}
    for _ in range(2):  # queues are emptied one after the other: what is written may be as many as were recorded, and others
        recorded = gateway.api("/api/health")["store"]["recorded"]
        assert until(lambda: gateway.api("/api/health")["store"]["stored"] >= recorded, BOUND), "not on disk"
    return answered


def test_killed_under_load_loses_only_what_was_in_flight(start, own_collector):
    gateway = start(own_collector)
    load = Load(gateway.port, threads=8)
    load.wait_for(1500)
    must = stored(gateway, load)
    gateway.kill()
    answered = load.stop()
    assert all(status == 200 for _, _, status in answered)

    gateway.start()
    health = gateway.settled()
    arrived = {span.trace_id for span in own_collector.spans}
    assert len(must) >= 1500
    assert must <= arrived, f"{len(must - arrived)} of {len(must)} did not arrive"
    # What is missing is counted: a span is recorded once its answer has gone out, so that each thread's last may be on either side.
    killed = health["store"]["lost"].get("killed", 0)
    assert abs(len(arrived) + killed - len(answered)) <= 8, (len(arrived), killed, len(answered))
    if killed:
        assert f'hopspan_spans_lost_total{{reason="killed"}} {killed}\n' in httpx.get(gateway.api_url + "/metrics").text
        assert '"reason":"killed"' in "".join(gateway.log)
    # Every span that the store holds arrived, as it is there.
    assert len(own_collector.ids()) == health["store"]["spans"]
    runs, cursor = [], ""
    while cursor is not None:
        page = gateway.api("/api/runs", params={"limit": 1000} | ({"cursor": cursor} if cursor else {}))
        runs, cursor = runs + page["runs"], page["next"]
    assert {run["run_id"] for run in runs} == arrived
    assert sum(run["hops"] for run in runs) == health["store"]["spans"]


def test_killed_again_and_again_nothing_stored_is_missing(start, own_collector):
    gateway = start(own_collector)
    must = set()
    for _ in range(3):
        load = Load(gateway.port, threads=4)
        load.wait_for(200)
        must |= stored(gateway, load)
        gateway.kill()
        load.stop()
        gateway.start()
    health = gateway.settled()
    arrived = {span.trace_id for span in own_collector.spans}
    assert must <= arrived, f"{len(must - arrived)} of {len(must)} did not arrive"
    assert len(arrived) == health["store"]["spans"]


def test_killed_while_the_collector_is_away_still_delivers_later(start, own_collector):
    own_collector.stop()
    gateway = start(own_collector)
    load = Load(gateway.port, threads=4)
    load.wait_for(300)
    answered = load.stop()
    assert until(lambda: gateway.api("/api/health")["store"]["spans"] >= len(answered))
    gateway.kill()
    gateway.start()
    own_collector.start()
    gateway.settled()
    assert {span.trace_id for span in own_collector.spans} == {trace_id for trace_id, _, _ in answered}


def test_a_collector_that_is_away_under_load_gets_everything_once_it_is_back(start, own_collector):
    gateway = start(own_collector)
    load = Load(gateway.port, threads=4)
    load.wait_for(200)
    own_collector.stop()
    before = len(load.answered)
    load.wait_for(before + 600)
    assert until(lambda: gateway.api("/api/health")["exporters"][0]["failing"]), "nobody would see it"
    assert httpx.get(f"{gateway.api_url}/readyz").status_code == 200
    own_collector.start()
    load.wait_for(len(load.answered) + 100)
    answered = load.stop()
    assert load.failed == 0 and all(status == 200 for _, _, status in answered), "traffic noticed"
    health = gateway.settled()
    assert {span.trace_id for span in own_collector.spans} == {trace_id for trace_id, _, _ in answered}
    assert health["store"]["lost"] == {} or not any(health["store"]["lost"].values())
    assert health["exporters"][0]["dropped"] == 0 and health["exporters"][0]["failures"] > 0
    assert any("export is failing" in line for line in gateway.log) and any("export goes on" in line for line in gateway.log)


@pytest.mark.parametrize("trouble", [503, 429, 502, 504])
def test_a_batch_that_may_be_sent_again_is(start, own_collector, trace, trouble):
    own_collector.troubles = [trouble]
    gateway = start(own_collector)
    ask(gateway, trace)
    own_collector.find(trace.id)
    assert len(own_collector.requests) == 2
    assert gateway.settled()["exporters"][0]["failures"] == 1


def test_a_batch_that_is_refused_for_good_is_counted_and_passed_over(start, own_collector, trace):
    own_collector.troubles = [400]
    gateway = start(own_collector)
    ask(gateway, None)
    assert until(lambda: gateway.api("/api/health")["exporters"][0]["dropped"] == 1)
    ask(gateway, trace)
    own_collector.find(trace.id)
    assert len(own_collector.spans) == 1
    assert 'hopspan_export_dropped_total' in httpx.get(f"{gateway.api_url}/metrics").text


def test_a_partial_success_is_counted_and_not_sent_again(start, own_collector, trace):
    own_collector.troubles = ["partial"]
    gateway = start(own_collector)
    ask(gateway, trace)
    assert until(lambda: gateway.api("/api/health")["exporters"][0]["rejected"] == 1)
    gateway.settled()
    assert len(own_collector.requests) == 1
    assert any("one is too old" in line for line in gateway.log)


def test_exports_are_gzip_protobuf_on_the_path_of_the_specification(start, own_collector, trace):
    gateway = start(own_collector)
    ask(gateway, trace)
    own_collector.find(trace.id)
    path, headers = own_collector.requests[0]
    headers = {name.lower(): value for name, value in headers.items()}
    assert path == "/v1/traces"
    assert headers["content-encoding"] == "gzip" and headers["content-type"] == "application/x-protobuf"
    version = hopspan("--version").stdout.split()[-1]
    assert headers["user-agent"] == f"Hopspan/{version} OTel-OTLP-Exporter-Swift/{version}"


def test_a_destination_from_the_environment_is_used(start, own_collector, trace):
    gateway = start(environment={
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{own_collector.port}", "OTEL_SERVICE_NAME": "front-door", "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-team=blue", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"})
    ask(gateway, trace)
    span, = own_collector.find(trace.id)
    assert span.resource["service.name"] == "front-door" and span.resource["deployment.environment.name"] == "test"
    assert {name.lower(): value for name, value in own_collector.requests[0][1].items()}["x-team"] == "blue"


def stopped_stream(gateway, trace):
    """A stream that stops after three events, until the upstream's gate is opened."""
    client = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="sk-gate", max_retries=0)
    return client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True, extra_headers=trace.headers)


def test_sigterm_lets_a_running_stream_end_and_exports_it(start, own_collector, own_upstream, trace):
    gateway = start(own_collector, gateway=", drain: 20s")
    heard = []

    def listen():
        for chunk in stopped_stream(gateway, trace):
            heard.append(chunk.choices[0].delta.content or "")

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert until(lambda: len(heard) >= 3), "the stream did not begin"
    gateway.terminate()
    assert until(lambda: httpx.get(f"{gateway.api_url}/readyz").status_code == 503, 5)
    assert httpx.get(f"{gateway.api_url}/healthz").status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{gateway.url}/openai/v1/models")
    assert gateway.process.poll() is None
    own_upstream.gate.set()
    listener.join(10)
    assert "".join(heard) == "".join(TEXT)
    assert gateway.process.wait(20) == 0
    span, = own_collector.find(trace.id, within=1)
    assert span.status == STATUS_UNSET and span["gen_ai.usage.output_tokens"] == 80


def test_a_request_behind_a_running_one_is_refused_while_it_drains(start, own_collector, own_upstream, trace):
    gateway = start(own_collector, gateway=", drain: 20s")
    second = type(trace)()
    asked = json.dumps({"model": "gpt-4o", "messages": [], "stream": True}).encode()

    def request(path, key, trace):
        return (f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\ntraceparent: {trace.headers['traceparent']}\r\n"
                f"content-length: {len(asked)}\r\n\r\n").encode() + asked

    made = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    made.sendall(request("/openai/v1/chat/completions", "sk-gate", trace) + request("/anthropic/v1/messages", "sk-ok", second))
    received = b""
    while received.count(b"\ndata: ") < 3:
        received += made.recv(65536)
    gateway.terminate()
    assert until(lambda: httpx.get(f"{gateway.api_url}/readyz").status_code == 503, 5)
    assert until(lambda: refuses(gateway.port), 5)
    own_upstream.gate.set()
    while piece := made.recv(65536):
        received += piece
    first, answer = received.split(b"\r\n0\r\n\r\n", 1)
    assert b"[DONE]" in first
    head, body = answer.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 503 ") and "retry-after: 1" in lines and "connection: close" in lines
    assert any(line.startswith(f"traceresponse: 00-{second.id}-") for line in lines)
    refusal = json.loads(body)
    assert refusal["type"] == "error" and "shutting down" in refusal["error"]["message"] and refusal["request_id"] == second.id
    assert gateway.process.wait(20) == 0
    span, = own_collector.find(second.id, within=1)
    assert span["error.type"] == "503" and span["http.response.status_code"] == 503 and span.status == STATUS_ERROR
    assert own_collector.find(trace.id, within=1)[0].status == STATUS_UNSET
    assert len(own_upstream.requests) == 1


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_stream_that_outlasts_the_drain_is_cut_and_its_span_says_so(start, own_collector, trace):
    gateway = start(own_collector, gateway=", drain: 300ms")
    stream = stopped_stream(gateway, trace)
    next(iter(stream))
    gateway.terminate()
    assert gateway.process.wait(20) == 0
    span, = own_collector.find(trace.id, within=1)
    assert span["error.type"] == "shutdown"
    with pytest.raises((openai.APIConnectionError, httpx.HTTPError)):
        list(stream)


def test_a_second_interrupt_does_not_wait_for_a_stream(start, own_collector, trace):
    gateway = start(own_collector, gateway=", drain: 10m")
    stream = stopped_stream(gateway, trace)
    next(iter(stream))
    gateway.process.send_signal(signal.SIGINT)
    assert until(lambda: httpx.get(f"{gateway.api_url}/readyz").status_code == 503, 5)
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(20) == 0
    span, = own_collector.find(trace.id, within=1)
    assert span["error.type"] == "shutdown"


def test_everything_answered_before_sigterm_is_exported(start, own_collector):
    gateway = start(own_collector)
    load = Load(gateway.port, threads=4)
    load.wait_for(200)
    answered = load.stop()
    assert gateway.stop() == 0
    assert {trace_id for trace_id, _, _ in answered} == {span.trace_id for span in own_collector.spans}


def test_the_roots_of_open_runs_are_exported_at_the_end(start, own_collector):
    gateway = start(own_collector)
    ask(gateway, None)
    assert gateway.stop() == 0
    root = next(span for span in own_collector.spans if span.name == "invoke_agent")
    assert root["hopspan.run.hops"] == 1


def test_a_disk_that_refuses_is_not_noticed_by_traffic_counted_and_got_over(start, own_collector, tmp_path):
    gateway = start(own_collector, signals_as_ours=True)
    ask(gateway, None)
    gateway.settled()
    largest = max(file.stat().st_size for file in tmp_path.glob("hopspan.db*"))
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    load = Load(gateway.port, threads=4)
    assert until(lambda: gateway.api("/api/health")["store"]["failure"], 30), "the disk refuses and nobody would see it"
    assert "hopspan_store_failing 1" in httpx.get(f"{gateway.api_url}/metrics").text
    load.wait_for(len(load.answered) + 200)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert until(lambda: not gateway.api("/api/health")["store"]["failure"], 30), "the store did not recover"
    load.wait_for(len(load.answered) + 200)
    answered = load.stop()
    assert load.failed == 0 and all(status == 200 for _, _, status in answered), "traffic noticed"
    assert until(lambda: (store := gateway.api("/api/health")["store"])["stored"] + sum(store["lost"].values()) >= store["recorded"], 30)
    assert until(lambda: gateway.api("/api/health")["exporters"][0]["pending_spans"] == 0, 30)
    lost = sum(gateway.api("/api/health")["store"]["lost"].values())
    arrived = {span.trace_id for span in own_collector.spans if span.kind == CLIENT}
    assert len({trace_id for trace_id, _, _ in answered} - arrived) == lost


def ask(gateway, trace):
    answer = httpx.post(
        f"{gateway.url}/openai/v1/chat/completions", headers={"authorization": "Bearer sk-ok"} | (trace.headers if trace else {}),
        json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}, timeout=10)
    assert answer.status_code == 200, answer.text
