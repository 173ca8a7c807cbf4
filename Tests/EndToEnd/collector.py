"""A collector that decodes what it is sent with OpenTelemetry's own message classes, and fails on demand."""

import gzip
import threading
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from loopback import Handler, Server

CLIENT = 3
INTERNAL = 1
STATUS_UNSET = 0
STATUS_ERROR = 2


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(each) for each in any_value.array_value.values]
    return getattr(any_value, kind) if kind else None


class Span:
    def __init__(self, span, scope, resource):
        self.trace_id, self.span_id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.name, self.kind, self.status = span.name, span.kind, span.status.code
        self.trace_state, self.flags = span.trace_state, span.flags
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = {each.key: value(each.value) for each in span.attributes}
        self.links = [(link.trace_id.hex(), link.span_id.hex(), link.trace_state, link.flags) for link in span.links]
        self.scope, self.resource = scope, resource
        self.bytes = span.SerializeToString()

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)

    def __repr__(self):
        return f"{self.name} {self.trace_id}/{self.span_id} under {self.parent or '-'} {self.attributes}"


class Collector:
    def __init__(self, port=0):
        self.lock = threading.Lock()
        self.received = []
        self.requests = []
        #: Statuses for the next requests, before it takes spans again: numbers, "partial" to take them and count one as rejected.
        self.troubles = []
        self.server = None
        self.port = port
        self.start()

    def start(self):
        collector = self

        class Receiver(Handler):
            def do_POST(self):
                body = self.body()
                with collector.lock:
                    collector.requests.append((self.path, dict(self.headers)))
                    trouble = collector.troubles.pop(0) if collector.troubles else None
                if isinstance(trouble, int):
                    return self.answer(trouble, "text/plain", b"not now")
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                message = ExportTraceServiceRequest.FromString(body)
                answer = ExportTraceServiceResponse()
                if trouble == "partial":
                    answer.partial_success.rejected_spans = 1
                    answer.partial_success.error_message = "one is too old"
                collector.take(message)
                self.answer(200, "application/x-protobuf", answer.SerializeToString())

        self.server = Server(Receiver, self.port)
        self.port = self.server.port

    def stop(self):
        self.server.stop()

    def take(self, message):
        spans = []
        for resource_spans in message.resource_spans:
            resource = {each.key: value(each.value) for each in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                spans += [Span(span, scope_spans.scope.name, resource) for span in scope_spans.spans]
        with self.lock:
            self.received += spans

    @property
    def spans(self):
        with self.lock:
            return list(self.received)

    def ids(self, kind=None):
        return {span.span_id for span in self.spans if kind is None or span.kind == kind}

    def find(self, trace_id, count=1, kind=CLIENT, within=10):
        """The spans of one trace, once `count` of them are here."""
        found = until(lambda: (spans := [s for s in self.spans if s.trace_id == trace_id and s.kind == kind]) and len(spans) >= count and spans, within)
        assert found, f"{count} spans of {trace_id} did not arrive; of it came {[s for s in self.spans if s.trace_id == trace_id]}"
        return found


def until(condition, within=10.0, every=0.02):
    """Asks until the answer is true, at most for `within` seconds; the last answer."""
    end = time.monotonic() + within
    while not (answer := condition()) and time.monotonic() < end:
        time.sleep(every)
    return answer
