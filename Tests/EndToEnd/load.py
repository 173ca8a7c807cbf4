"""Requests in quantity, from threads with keep-alive connections."""

import http.client
import json
import secrets
import threading
import time

CHAT = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "How is the weather?"}]}).encode()


class Load:
    """Asks until it is told to stop. What was answered: (trace id, when by the monotonic clock, status)."""

    def __init__(self, port, threads=8):
        self.port = port
        self.answered = []
        self.failed = 0
        self.latencies = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        connection = None
        while not self._stop.is_set():
            trace_id = secrets.token_hex(16)
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                began = time.monotonic()
                connection.request("POST", "/openai/v1/chat/completions", CHAT, {
                    "content-type": "application/json", "authorization": "Bearer sk-ok",
                    "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"})
                answer = connection.getresponse()
                answer.read()
                now = time.monotonic()
                self.answered.append((trace_id, now, answer.status))
                self.latencies.append(now - began)
            except (OSError, http.client.HTTPException):
                self.failed += 1
                connection = None
                time.sleep(0.01)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        return self.answered

    def wait_for(self, count, within=60):
        end = time.monotonic() + within
        while len(self.answered) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.answered) >= count, f"{len(self.answered)} of {count} answered, {self.failed} failed"
