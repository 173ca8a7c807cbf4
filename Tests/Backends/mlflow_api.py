"""What MLflow's REST API answers, in plain values."""

import base64


def value(coded):
    """An attribute's value: OTLP's any-value, in the JSON of protobuf's field names."""
    (kind, inner), = coded.items()
    if kind == "array_value":
        return [value(each) for each in inner.get("values", [])]
    if kind == "kvlist_value":
        return {each["key"]: value(each["value"]) for each in inner.get("values", [])}
    return int(inner) if kind == "int_value" else inner


def identifier(coded):
    return base64.b64decode(coded).hex() if coded else None


class Span:
    def __init__(self, span):
        self.trace_id, self.span_id = identifier(span["trace_id"]), identifier(span["span_id"])
        self.parent, self.name, self.status = identifier(span.get("parent_span_id")), span["name"], span.get("status", {})
        self.attributes = {each["key"]: value(each["value"]) for each in span["attributes"]}

    def get(self, name):
        return self.attributes.get(name)

    @property
    def kind(self):
        return self.get("mlflow.spanType") or "UNKNOWN"


def trace(mlflow, trace_id):
    """One trace by MLflow's own id of it: (info, spans by id)."""
    answer = mlflow.get("/api/3.0/mlflow/traces/get", trace_id=trace_id)["trace"]
    return answer["trace_info"], {span.span_id: span for span in map(Span, answer["spans"])}


def trace_ids(mlflow):
    """All traces of the experiment that spans are sent to."""
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    found = mlflow.post("/api/3.0/mlflow/traces/search", {"locations": [place], "max_results": 100})
    return [each["trace_id"] for each in found.get("traces", [])]
