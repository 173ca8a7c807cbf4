"""The api's description, by other people's tools: it is OpenAPI 3.1, and recorded and real answers fit it, with nothing left out of it."""

import json
from pathlib import Path

import httpx
import openai
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from collector import until
from gateway import hopspan

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "Tests/QueryAPITests/Fixtures"
#: A recorded answer's schema, by how its file is called; the longest beginning counts.
RECORDED = {"runs": "RunPage", "run-": "Run", "run-cost": "RunCost", "cost-": "Cost", "health": "Health", "problem": "Problem", "otlp": "TracesData"}
#: Recorded answers that no schema of the document's own describes.
PLAIN = {"config.json", "metrics.txt"}
FILES = sorted(file.name for file in FIXTURES.iterdir() if file.name not in PLAIN)


def closed(schema, composed=False):
    """The schema with every object complete: a member that it does not name is a mistake."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {}
    for name, value in schema.items():
        if name == "properties":
            whole[name] = {member: closed(each) for member, each in value.items()}
        elif name == "allOf":  # its parts are complete together, not each
            whole[name] = [closed(each, composed=True) for each in value]
        else:
            whole[name] = closed(value)
    if not composed and not {"additionalProperties", "unevaluatedProperties"} & set(schema) and {"properties", "allOf", "$ref"} & set(schema):
        whole["unevaluatedProperties"] = False
    return whole


class Description:
    def __init__(self, document):
        self.document = document
        schemas = document["components"]["schemas"]
        # A named schema is closed where it is referred to: it may be a part of another.
        self.schemas = {name: closed(schema, composed=True) for name, schema in schemas.items()}

    def mistakes(self, schema, value):
        validator = Draft202012Validator(closed(schema) | {"components": {"schemas": self.schemas}}, format_checker=FormatChecker())
        return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:300]}" for each in validator.iter_errors(value)]

    def named(self, name, value):
        return self.mistakes({"$ref": f"#/components/schemas/{name}"}, value)

    def answer(self, method, path, answer):
        """What of a real answer the document does not say."""
        operation = self.document["paths"][path][method]
        described = operation["responses"].get(str(answer.status_code), operation["responses"].get("default"))
        if described is None:
            return [f"{answer.status_code} is not described: {answer.text[:200]}"]
        if reference := described.get("$ref"):
            described = self.document["components"]["responses"][reference.rpartition("/")[2]]
        kind = answer.headers.get("content-type", "").partition(";")[0]
        content = described.get("content", {})
        if kind not in content:
            return [] if not content and not answer.content else [f"{answer.status_code} {kind or 'without content'} is not described"]
        if not kind.endswith("json"):
            return []
        return self.mistakes(content[kind]["schema"], answer.json()) if "schema" in content[kind] else []


@pytest.fixture(scope="module")
def description(gateway):
    return Description(gateway.api("/api/openapi.json"))


@pytest.fixture(scope="module")
def runs(gateway):
    """Three runs to ask about, one of them with a hop that failed, one to be deleted."""
    made = []
    for key, name in (("sk-ok", "described-1"), ("sk-429", "described-2"), ("sk-ok", "described-3")):
        client = openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key=key, max_retries=0, default_headers={"x-hopspan-run": name})
        try:
            list(client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True))
        except openai.RateLimitError:
            pass
        made.append(gateway.run(name)["run_id"])
    return made


def test_the_description_is_openapi_3_1(description):
    assert description.document == json.loads((ROOT / "Sources/C/OpenAPI/openapi.json").read_text())
    assert [each.message for each in OpenAPIV31SpecValidator(description.document).iter_errors()] == []


@pytest.mark.parametrize("file", FILES)
def test_a_recorded_answer_fits_its_schema(description, file):
    name = max((start for start in RECORDED if file.startswith(start)), key=len)
    assert description.named(RECORDED[name], json.loads((FIXTURES / file).read_text())) == []


#: Method, path as the document has it, query, more headers, the status that must come.
CALLS = [
    ("get", "/api/runs", "", {}, 200), ("get", "/api/runs", "?limit=1&sort=-cost_usd", {}, 200), ("get", "/api/runs", "?status=error", {}, 200),
    ("get", "/api/runs", "?limit=no&since=never&zzz=1", {}, 400), ("get", "/api/runs", "", {"host": "elsewhere.example"}, 403),
    ("get", "/api/runs/{run}", "", {}, 200), ("get", "/api/runs/nothing", "", {}, 404), ("get", "/api/runs/{run}", "?zzz=1", {}, 400),
    ("get", "/api/runs/{run}/cost", "", {}, 200), ("get", "/api/runs/{run}/cost", "?by=model", {}, 200),
    ("get", "/api/runs/{run}/cost", "?by=colour", {}, 400), ("get", "/api/runs/nothing/cost", "", {}, 404),
    ("get", "/api/runs/{run}/otlp", "", {}, 200), ("get", "/api/runs/{run}/otlp", "", {"accept": "application/x-protobuf"}, 200),
    ("get", "/api/cost", "", {}, 200), ("get", "/api/cost", "?by=day,model&since=1h", {}, 200), ("get", "/api/cost", "?by=", {}, 400),
    ("get", "/api/health", "", {}, 200), ("get", "/api/config", "", {}, 200), ("get", "/api/openapi.json", "", {}, 200),
    ("get", "/metrics", "", {}, 200), ("get", "/healthz", "", {}, 200), ("get", "/readyz", "", {}, 200), ("get", "/", "", {}, 200),
    ("post", "/api/runs/{run}/end", "", {}, 200), ("post", "/api/runs/nothing/end", "", {}, 404),
    ("delete", "/api/runs/{run}", "", {}, 204), ("delete", "/api/runs/nothing", "", {}, 404),
]


@pytest.mark.parametrize("method, path, query, headers, status", CALLS)
def test_a_real_answer_is_as_described(gateway, description, runs, method, path, query, headers, status):
    described = path.replace("nothing", "{run}")
    for run in runs[:2] if method == "get" and "{run}" in path else runs[2:]:
        answer = httpx.request(method, gateway.api_url + path.replace("{run}", run) + query, headers=headers, timeout=10)
        assert answer.status_code == status, answer.text
        assert description.answer(method, described, answer) == []


def test_every_call_has_words_for_what_else_may_go_wrong(description):
    for path, calls in description.document["paths"].items():
        for method, call in calls.items():
            assert method == "parameters" or call["responses"]["default"] == {"$ref": "#/components/responses/Refused"}, (method, path)


@pytest.mark.parametrize("method, path, more, status", [
    ("post", "/api/runs/some/end", {"content": b"a" * (8 << 20)}, 413), ("get", "/api/runs", {"headers": {"x-long": "a" * 200_000}}, 431),
    ("get", "/api/runs", {"headers": {"connection": "upgrade", "upgrade": "websocket"}}, 501)])
def test_a_request_that_is_refused_before_it_is_read_is_answered_as_described(gateway, description, method, path, more, status):
    answer = httpx.request(method, gateway.api_url + path, timeout=10, **more)
    assert answer.status_code == status, answer.text
    assert description.answer(method, path.replace("some", "{run}"), answer) == []


def test_a_method_that_a_path_does_not_take_is_answered_as_described(gateway, description):
    answer = httpx.put(f"{gateway.api_url}/api/runs")
    assert answer.status_code == 405
    assert description.answer("get", "/api/runs", answer) == []


def test_a_name_of_two_callers_is_answered_as_described(gateway, description):
    for address in ("127.0.0.2", "127.0.0.3"):
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
            client.get(f"{gateway.url}/openai/v1/models", headers={"authorization": "Bearer sk-ok", "x-hopspan-run": "twice"})
    assert until(lambda: named(gateway, "twice") == 2, 10)
    for method, path in (("post", "/api/runs/{run}/end"), ("delete", "/api/runs/{run}")):
        answer = httpx.request(method, gateway.api_url + path.replace("{run}", "twice"))
        assert answer.status_code == 409, answer.text
        assert len(answer.json()["trace_ids"]) == 2
        assert description.answer(method, path, answer) == []
    assert httpx.delete(f"{gateway.api_url}/api/runs/{answer.json()['trace_ids'][0]}").status_code == 204
    assert httpx.post(f"{gateway.api_url}/api/runs/twice/end").status_code == 200


def named(gateway, name):
    return sum(run["name"] == name for run in httpx.get(f"{gateway.api_url}/api/runs?limit=1000").json()["runs"])


def test_every_described_call_is_asked(description):
    asked = {(method, path.replace("nothing", "{run}")) for method, path, _, _, status in CALLS if status < 300}
    there = {(method, path) for path, calls in description.document["paths"].items() for method in calls if method != "parameters"}
    assert asked == there


def test_a_call_without_the_token_is_answered_as_described(start):
    gateway = start(api=", token: 'env:API_TOKEN'", environment={"API_TOKEN": "secret"})
    document = httpx.get(f"{gateway.api_url}/api/openapi.json", headers={"authorization": "Bearer secret"}).json()
    answer = httpx.get(f"{gateway.api_url}/api/runs")
    assert answer.status_code == 401
    assert Description(document).answer("get", "/api/runs", answer) == []


def test_what_the_commands_print_as_json_is_as_described(gateway, description, runs):
    printed = hopspan("run", runs[0], "--json", "--api", gateway.api_url)
    assert printed.returncode == 0 and description.named("Run", json.loads(printed.stdout)) == []
