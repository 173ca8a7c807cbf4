"""The built program as a process of its own."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import httpx

from collector import until

BINARY = os.path.abspath(os.environ.get("HOPSPAN_BIN") or Path(__file__).parents[2] / ".build/release/hopspan")
#: What a test machine may have set that would change what the program does.
AMBIENT = ("OTEL_", "HOPSPAN_", "OPENAI_", "ANTHROPIC_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
    return kept | more


def hopspan(*arguments, **more):
    """One command to its end."""
    return subprocess.run([BINARY, *arguments], env=environment(**more), capture_output=True, text=True, timeout=60)


def configuration(upstream, collector=None, store="hopspan.db", gateway="", api="", telemetry="", providers=""):
    otlp = f"\n  otlp: {{ endpoint: 'http://127.0.0.1:{collector.port}', batch_delay: 50ms }}" if collector else ""
    return f"""
gateway: {{ listen: '127.0.0.1:0'{gateway} }}
api: {{ listen: '127.0.0.1:0'{api} }}
store: {{ path: '{store}' }}
telemetry:
  run_idle: 60s{otlp}{telemetry}
providers:
  openai: {{ base_url: '{upstream}' }}
  anthropic: {{ base_url: '{upstream}' }}{providers}
"""


class Gateway:
    def __init__(self, folder, text, signals_as_ours=False, **more):
        self.file = Path(folder) / "hopspan.yaml"
        self.file.write_text(text)
        self.more = more
        #: Python ignores SIGXFSZ: a file at its limit then is an error of the write, as a full disk is.
        self.signals_as_ours = signals_as_ours
        self.start()

    def start(self):
        self.log = []
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", str(self.file)], env=environment(**self.more), restore_signals=not self.signals_as_ours,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        threading.Thread(target=self._read, args=(self.process.stderr, self.log), daemon=True).start()
        line = self.process.stdout.readline()
        assert line, f"did not start: {self.process.wait(10)} {self.log}"
        ready = json.loads(line)
        assert ready["event"] == "ready"
        self.url, self.api_url = f"http://{ready['gateway']}", f"http://{ready['api']}"
        self.port = int(ready["gateway"].rpartition(":")[2])
        self.api_port = int(ready["api"].rpartition(":")[2])

    @staticmethod
    def _read(pipe, lines):
        for line in pipe:
            lines.append(line.rstrip("\n"))

    def api(self, path, **more):
        answer = httpx.get(self.api_url + path, timeout=10, **more)
        answer.raise_for_status()
        return answer.json()

    def run(self, run_id, hops=1):
        """A run by the api, once it has that many hops."""
        def asked():
            answer = httpx.get(f"{self.api_url}/api/runs/{run_id}", timeout=10)
            return answer.status_code == 200 and answer.json()["hops"] >= hops and answer.json()
        found = until(asked)
        assert found, f"run {run_id} with {hops} hops is not in the api"
        return found

    def settled(self):
        """Everything recorded is stored, and what is stored exported. The health as it is then."""
        def asked():
            health = self.api("/api/health")
            store = health["store"]
            return store["stored"] >= store["recorded"] and all(each["pending_spans"] == 0 for each in health["exporters"]) and health
        health = until(asked, 30)
        assert health, self.api("/api/health")
        return health

    def memory(self):
        """Resident bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        """Asks it to end; its exit code."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
