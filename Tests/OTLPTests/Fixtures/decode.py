#!/usr/bin/env python3
"""Reads the golden files beside it with the official protobuf classes (PyPI: opentelemetry-proto).

Each *.otlp.hex must decode as an ExportTraceServiceRequest and as TracesData, be written again as the same bytes, hold nothing
that the official messages do not know, and be what its *.otlp.json says. Usage: decode.py; exits 0 when all of that is so.
"""
import base64
import json
import pathlib
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

IDS = {"traceId", "spanId", "parentSpanId"}


def as_proto3_json(value, key=None):
    """OTLP/JSON has ids in hex where proto3 JSON has base64."""
    if isinstance(value, dict):
        return {name: as_proto3_json(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [as_proto3_json(item) for item in value]
    if key in IDS:
        return base64.b64encode(bytes.fromhex(value)).decode()
    return value


def mistakes(path):
    data = bytes.fromhex(path.read_text())
    request = ExportTraceServiceRequest.FromString(data)
    traces = TracesData.FromString(data)
    if request.SerializeToString() != data:
        yield "is written differently by the official encoder"
    known = ExportTraceServiceRequest.FromString(data)
    known.DiscardUnknownFields()
    if known.SerializeToString() != request.SerializeToString():
        yield "holds unknown fields"
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                keys = [attribute.key for attribute in span.attributes]
                if len(keys) != len(set(keys)):
                    yield "has an attribute twice"
                if len(span.trace_id) != 16 or len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
                    yield "has an id of a wrong length"
                if not span.name or span.end_time_unix_nano < span.start_time_unix_nano:
                    yield "has no name, or ends before it starts"
    text = json.loads(path.with_suffix(".json").read_text())
    if json_format.ParseDict(as_proto3_json(text), TracesData()) != traces:
        yield "is not what its JSON says"


def main():
    files = sorted(pathlib.Path(__file__).parent.glob("*.otlp.hex"))
    failures = [f"{path.name}: {mistake}" for path in files for mistake in mistakes(path)]
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(files)} files decoded, {len(failures)} mistakes")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
