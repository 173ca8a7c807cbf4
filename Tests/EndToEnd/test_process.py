"""The program as a process: what it refuses to start on, how it takes a changed file, whom it does not answer, how it exits."""

import json
import os
import re
import resource
import secrets
import signal
import socket
import subprocess

import httpx
import openai
import pytest

from collector import CLIENT, until
from gateway import BINARY, Gateway, configuration, environment, hopspan
from loopback import Handler, Server


def serve_refused(folder, text, **more):
    """Starts a second program that must give up by itself; its words."""
    file = folder / "second.yaml"
    file.write_text(text)
    ended = hopspan("serve", "--config", str(file), **more)
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    return ended.stderr


@pytest.mark.parametrize("key", ["gateway", "api"])
def test_a_second_program_on_a_port_is_refused(start, own_upstream, tmp_path, key):
    first = start()
    port = first.port if key == "gateway" else first.api_port
    text = configuration(own_upstream.url, store="other.db").replace(f"{key}: {{ listen: '127.0.0.1:0'", f"{key}: {{ listen: '127.0.0.1:{port}'")
    words = serve_refused(tmp_path, text)
    assert f"{key}.listen" in words and str(port) in words
    assert httpx.get(f"{first.api_url}/readyz").status_code == 200


def test_a_second_program_on_a_store_is_refused(start, own_upstream, tmp_path):
    first = start()
    words = serve_refused(tmp_path, configuration(own_upstream.url))
    assert "store.path" in words and "hopspan.db" in words and "process" in words
    assert httpx.get(f"{first.api_url}/readyz").status_code == 200


def test_a_store_is_free_again_after_its_program(start, own_upstream, tmp_path):
    first = start()
    assert first.stop() == 0
    first.start()
    assert httpx.get(f"{first.api_url}/readyz").status_code == 200


def test_an_api_that_everybody_reaches_needs_a_token(own_upstream, tmp_path):
    words = serve_refused(tmp_path, configuration(own_upstream.url).replace("api: { listen: '127.0.0.1:0'", "api: { listen: '0.0.0.0:0'"))
    assert "api.token" in words


MISTAKES = """\
gateway:
  listen: nowhere
  max_bdy: 3MiB
store: { retention: 3 parsecs }
providers:
  openai: { credential: sk-secret-itself }
  nameless: { dialect: klingon }
"""


@pytest.mark.parametrize("command", [["check"], ["serve", "--config"]])
def test_every_mistake_of_a_file_is_said_at_once_with_its_place(tmp_path, command):
    file = tmp_path / "wrong.yaml"
    file.write_text(MISTAKES)
    ended = hopspan(*command, str(file))
    assert ended.returncode == 1
    places = re.findall(r"wrong\.yaml:(\d+):(\d+): ", ended.stderr)
    assert {int(line) for line, _ in places} >= {2, 3, 4, 6, 7}, ended.stderr
    assert "max_body" in ended.stderr, "a near miss is named"
    assert "sk-secret-itself" not in ended.stderr and "sk-secret-itself" not in ended.stdout


def test_a_good_file_checks_out(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(configuration("http://127.0.0.1:1"))
    assert hopspan("check", str(file)).returncode == 0


def test_what_serve_would_refuse_does_not_check_out(tmp_path):
    for name in ["one", "two"]:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem",
             "-subj", f"/CN={name}"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "no.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    file = tmp_path / "pair.yaml"
    file.write_text("gateway: { tls: { certificate: one.pem, key: two.key } }\nproviders: { openai: { ca: no.pem } }\n")
    ended = hopspan("check", str(file))
    assert ended.returncode == 1
    assert "gateway.tls" in ended.stderr and "providers.openai.ca" in ended.stderr, ended.stderr


@pytest.mark.parametrize("path, content, words", [
    ("missing/hopspan.db", None, "make that folder"), ("notes.txt", b"my notes, not to be lost " * 9, "not a hopspan store"),
    (".", None, "not the path of a file"), ("", None, "not the path of a file")])
def test_a_store_that_cannot_be_does_not_check_out(tmp_path, path, content, words):
    if content:
        (tmp_path / path).write_bytes(content)
    file = tmp_path / "store.yaml"
    file.write_text(f"store: {{ path: '{path}{'/' if path == '.' else ''}' }}\ngateway: {{ listen: '127.0.0.1:0' }}\napi: {{ listen: '127.0.0.1:0' }}\n")
    for command in (["check", str(file)], ["serve", "--config", str(file)]):
        ended = hopspan(*command)
        assert ended.returncode == 1 and "store.path" in ended.stderr and words in ended.stderr, ended
    assert not content or (tmp_path / path).read_bytes() == content


def test_a_store_in_use_checks_out(start):
    gateway = start()
    ended = hopspan("check", str(gateway.file))
    assert ended.returncode == 0, ended


def test_broken_prices_beside_the_store_are_named(tmp_path):
    (tmp_path / "prices.json").write_text("{")
    file = tmp_path / "prices.yaml"
    file.write_text(configuration("http://127.0.0.1:1"))
    for command in (["check", str(file)], ["serve", "--config", str(file)]):
        ended = hopspan(*command)
        assert ended.returncode == 1 and str(tmp_path / "prices.json") in ended.stderr, ended


@pytest.mark.parametrize("arguments, code", [
    (["--version"], 0), (["help"], 0), (["help", "exit-codes"], 0), (["prices", "gpt-4o"], 0), (["check"], 2), (["conjure"], 2), (["serve", "--nonsense"], 2),
    (["runs", "--limit", "many"], 2), (["check", "/nonexistent.yaml"], 1), (["serve", "--config", "/nonexistent.yaml"], 1),
    (["runs", "--api", "http://127.0.0.1:1"], 1), (["cost", "--api", "http://127.0.0.1:1"], 1)])
def test_exit_codes(arguments, code):
    ended = hopspan(*arguments)
    assert ended.returncode == code, ended
    assert (ended.stderr == "") == (code == 0)


def test_without_a_configuration_it_works_on_its_defaults(tmp_path):
    for port in (8700, 8701):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port} is in use here")
    process = subprocess.Popen([BINARY, "serve"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert json.loads(process.stdout.readline()) == {"event": "ready", "gateway": "127.0.0.1:8700", "api": "127.0.0.1:8701"}
        assert httpx.get("http://127.0.0.1:8701/readyz").status_code == 200
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert (tmp_path / "hopspan.db").exists()


class SixServer(Server):
    address_family = socket.AF_INET6
    host = "::1"


class SixHandler(Handler):
    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        self.answer(200, "application/json", b"{}")


def has_six():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not socket.has_ipv6 or not has_six(), reason="this machine has no ::1")
def test_it_listens_and_calls_by_ipv6(own_collector, tmp_path, trace):
    server = SixServer(SixHandler)
    server.asked = []
    text = configuration(f"http://[::1]:{server.port}", own_collector).replace("127.0.0.1:0", "[::1]:0")
    gateway = Gateway(tmp_path, text)
    try:
        assert re.fullmatch(r"http://\[::1\]:\d+", gateway.url) and re.fullmatch(r"http://\[::1\]:\d+", gateway.api_url)
        assert httpx.get(f"{gateway.url}/openai/v1/models", headers=trace.headers).status_code == 200
        assert server.asked[0]["host"] == f"[::1]:{server.port}"
        span, = own_collector.find(trace.id)
        assert span["server.address"] == "::1" and span["server.port"] == server.port
        assert span["url.full"] == f"http://[::1]:{server.port}/v1/models"
        assert gateway.run(trace.id)["hops"] == 1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{gateway.port}/openai/v1/models")
        listing = hopspan("runs", "--api", gateway.api_url)
        assert listing.returncode == 0 and trace.id[:8] in listing.stdout
    finally:
        assert gateway.stop() == 0
        server.stop()


def test_it_may_open_as_many_files_as_the_system_lets_it(start, own_upstream, tmp_path):
    file = tmp_path / "few.yaml"
    file.write_text(configuration(own_upstream.url))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    process = subprocess.Popen(
        [BINARY, "serve", "--config", str(file)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)))
    try:
        assert process.stdout.readline()
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (hard, hard) and hard > 256
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_changed_file_is_taken_up_and_a_bad_one_is_not(start, own_upstream):
    gateway = start()
    good = gateway.file.read_text()

    def status(provider):
        return httpx.get(f"{gateway.url}/{provider}/v1/models", headers={"authorization": "Bearer sk-ok"}).status_code

    assert status("newcomer") == 404
    gateway.file.write_text(good + f"  newcomer: {{ dialect: openai, base_url: '{own_upstream.url}' }}\n")
    assert until(lambda: status("newcomer") == 200, 10)
    assert any(json.loads(line).get("changed") == "providers" for line in gateway.log), gateway.log

    gateway.file.write_text(good + "  newcomer: { dialekt: openai }\n")
    assert until(lambda: any("the old one stays" in line for line in gateway.log), 10)
    assert until(lambda: any(re.search(r"hopspan\.yaml:\d+:\d+: .*dialekt", json.loads(line).get("mistake", "")) for line in gateway.log))
    assert status("newcomer") == 200

    gateway.file.write_text("")
    gateway.process.send_signal(signal.SIGHUP)
    assert until(lambda: any("is empty" in json.loads(line).get("mistake", "") for line in gateway.log), 10)
    assert status("newcomer") == 200

    gateway.file.write_text(good)
    assert until(lambda: status("newcomer") == 404, 10)


def test_the_logs_are_lines_of_json(start):
    gateway = start(gateway=", hosts: [hopspan.example.com]", environment={"SSL_CERT_FILE": "/nofile"})
    assert gateway.stop() == 0
    lines = [json.loads(line) for line in gateway.log]
    assert [line["event"] for line in lines] == ["configuration", "configuration", "draining"]
    assert "gateway.hosts" in lines[0]["warning"] and "SSL_CERT_FILE" in lines[1]["warning"]


@pytest.mark.parametrize("headers", [
    {"host": "rebound.example"}, {"host": "rebound.example:8701"}, {"origin": "https://evil.example"}, {"origin": "null"},
    {"origin": "http://127.0.0.1.evil.example"}])
def test_the_api_refuses_foreign_pages(gateway, headers):
    for method, path in (("POST", "/api/runs/some/end"), ("GET", "/api/runs"), ("DELETE", "/api/runs/some")):
        answer = httpx.request(method, gateway.api_url + path, headers=headers)
        assert answer.status_code == 403, (method, path)
        assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("headers", [{}, {"host": "localhost"}, {"host": "[::1]:8701"}, {"origin": "http://localhost:3000"}])
def test_the_api_answers_loopback_names(gateway, headers):
    assert httpx.get(f"{gateway.api_url}/api/runs", headers=headers).status_code == 200


def test_a_gateway_that_injects_credentials_refuses_foreign_pages(start, own_upstream):
    gateway = start(environment={"THE_KEY": "sk-ok"}, providers=f"\n  wallet: {{ dialect: openai, base_url: '{own_upstream.url}', credential: 'env:THE_KEY' }}")
    path = f"{gateway.url}/wallet/v1/chat/completions"
    asked = {"model": "gpt-4o", "messages": []}
    for headers in ({"host": "rebound.example"}, {"origin": "https://evil.example"}):
        answer = httpx.post(path, json=asked, headers=headers)
        assert answer.status_code == 403
        assert "sk-ok" not in answer.text
    assert own_upstream.requests == []
    assert httpx.post(path, json=asked).status_code == 200
    assert own_upstream.asked()[0]["authorization"] == "Bearer sk-ok"
    shown = httpx.get(f"{gateway.api_url}/api/config").text
    assert "env:THE_KEY" in shown and "sk-ok" not in shown


def test_the_api_asks_for_its_token(start):
    gateway = start(environment={"API_TOKEN": "open-sesame"}, api=", token: 'env:API_TOKEN'")
    for path in ("/api/runs", "/api/health", "/api/config", "/metrics"):
        for headers in ({}, {"authorization": "Bearer open-sesam"}, {"authorization": "Basic open-sesame"}):
            assert httpx.get(gateway.api_url + path, headers=headers).status_code == 401, path
        assert httpx.get(gateway.api_url + path, headers={"authorization": "Bearer open-sesame"}).status_code == 200, path
    for path in ("/healthz", "/readyz"):
        assert httpx.get(gateway.api_url + path).status_code == 200
    assert hopspan("runs", "--api", gateway.api_url).returncode == 1
    assert hopspan("runs", "--api", gateway.api_url, HOPSPAN_API_TOKEN="open-sesame").returncode == 0


def test_the_openapi_page_describes_every_path_that_answers(gateway):
    page = gateway.api("/api/openapi.json")
    assert page["openapi"].startswith("3.1")
    assert set(page["paths"]) >= {"/api/runs", "/api/runs/{run}", "/api/runs/{run}/cost", "/api/runs/{run}/otlp", "/api/runs/{run}/end", "/api/cost", "/api/health"}
    for path, methods in page["paths"].items():
        if "get" in methods:
            assert httpx.get(gateway.api_url + path.replace("{run}", "nothing")).status_code != 405, path


@pytest.mark.parametrize("path", ["/api/runs?limt=3", "/api/runs?limit=0", "/api/runs?since=yesterdayish", "/api/cost?by=colour", "/api/runs?sort=age"])
def test_unknown_and_malformed_parameters_are_problems(gateway, path):
    answer = httpx.get(gateway.api_url + path)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == 400 and answer.json()["detail"]


def test_metrics_count_what_happened(start):
    gateway = start()
    for key in ("sk-ok", "sk-ok", "sk-429"):
        httpx.post(f"{gateway.url}/openai/v1/chat/completions", headers={"authorization": f"Bearer {key}"}, json={"model": "gpt-4o", "messages": []})
    httpx.get(f"{gateway.url}/nobody/v1/models")
    gateway.settled()
    text = httpx.get(f"{gateway.api_url}/metrics").text
    figures = dict(re.fullmatch(r"(\S+(?:\{.*\})?) (\S+)", line).groups() for line in text.splitlines() if line and line[0] != "#")
    count = lambda name, *labels: sum(float(value) for key, value in figures.items() if key.split("{")[0] == name and all(label in key for label in labels))
    assert count("hopspan_exchanges_total", 'status="ok"') == 2
    assert count("hopspan_exchanges_total", 'status="error"') == 1
    assert count("hopspan_errors_total", 'error_type="429"') == 1
    assert count("hopspan_spans_recorded_total") == count("hopspan_spans_stored_total") == 3
    assert count("hopspan_gateway_unknown_paths_total") == 1
    assert count("gen_ai_client_token_usage_sum", 'gen_ai_token_type="input"') == 2400
    assert count("gen_ai_client_operation_duration_seconds_count") == 3
    assert abs(count("hopspan_cost_usd_total") - 0.0051) < 1e-12


def test_the_demo_runs_to_its_end_and_prints_its_tree(tmp_path):
    ended = subprocess.run([BINARY, "demo"], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended
    assert "chat gpt-4o" in ended.stdout and "claude" in ended.stdout and "529" in ended.stdout
    assert "12 hops, 8 LLM calls, 3 tool calls, 1 agent call" in ended.stdout, ended.stdout
    # The tool's error was inside a 200, and what the other agent did stands below the question to it.
    assert re.search(r"^├─ tools/call read_runbook .* tool_error$", ended.stdout, re.M), ended.stdout
    assert re.search(r"^├─ invoke_agent historian .*\n│  ├─ tools/call list_changes .*\n│  └─ chat gpt-4.1-mini ", ended.stdout, re.M), ended.stdout
    assert list(tmp_path.iterdir()) == [], "everything is temporary"


def test_the_demo_exports_what_it_shows(own_collector, tmp_path):
    ended = subprocess.run(
        [BINARY, "demo"], cwd=tmp_path, env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{own_collector.port}"),
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended
    assert len({span.trace_id for span in own_collector.spans}) == 1
    assert len(own_collector.ids(CLIENT)) == 12


def test_the_demo_that_stays_names_the_addresses_it_has(tmp_path):
    process = subprocess.Popen([BINARY, "demo", "--keep", "--port", "0"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = []
        while not lines or not lines[-1].startswith("{"):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        ready, said = json.loads(lines[-1]), "".join(lines[:-1])
        assert f"export HOPSPAN_API=http://{ready['api']}\n" in said
        assert f"export OPENAI_BASE_URL=http://{ready['gateway']}/openai/v1\n" in said
        assert f'export PATH="{os.path.dirname(os.path.realpath(BINARY))}:$PATH"\n' in said
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_beginning_that_is_too_short_is_said_to_be(gateway):
    ended = hopspan("run", "zzz", "--api", gateway.api_url)
    assert ended.returncode == 1 and "at least 4" in ended.stderr


def test_a_run_that_is_deep_is_shown(gateway):
    """Each hop below the one before, as agents that call agents make it."""
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    levels = 70
    with httpx.Client(headers={"authorization": "Bearer sk-ok"}) as client:
        for level in range(levels):
            answer = client.get(f"{gateway.url}/openai/v1/models", headers={"traceparent": f"00-{trace}-{parent}-01"})
            parent = answer.headers["traceresponse"].split("-")[2]
    gateway.run(trace, levels)
    ended = hopspan("run", trace, "--api", gateway.api_url)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("─ GET openai") == 40 and f" {levels}: GET openai" in ended.stdout
