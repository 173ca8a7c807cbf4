"""A back end from PyPI as a process of its own, in a Python environment of its own (`Tests/run.sh --backends` installs them)."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
#: What of the caller's environment could make a back end call home, send its own spans to a collector, listen elsewhere, or
#: compile what it imports at every start (PYTHONDONTWRITEBYTECODE).
AMBIENT = ("OTEL_", "HOPSPAN_", "PHOENIX_", "MLFLOW_", "OPENAI_", "ANTHROPIC_", "PYTHON")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, within, what):
    """What `condition` gives once it gives something; a connection that fails counts as not yet."""
    end = time.monotonic() + within
    last = None
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except httpx.HTTPError as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{what} takes more than {within} s ({last!r})")


class BackEnd:
    """Listens on a free loopback port and keeps what it has in `folder`."""

    def __init__(self, name, folder, command, health, environment):
        """`{port}` in the command's and the environment's words is the port; `health` is a path that answers 200 once it serves."""
        self.name, self.health, self.log = name, health, Path(folder) / "log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        programs = ROOT / f".build/venv-{name}/bin"
        assert (programs / command[0]).exists(), f"{name} is not installed: bash Tests/run.sh --backends installs it"
        kept = {variable: value for variable, value in os.environ.items() if not variable.startswith(AMBIENT)}
        kept |= {"HOME": str(folder), "PATH": f"{programs}:{kept.get('PATH', '')}", "DO_NOT_TRACK": "true"}
        kept |= {variable: value.replace("{port}", str(self.port)) for variable, value in environment.items()}
        words = [str(programs / command[0]), *(word.replace("{port}", str(self.port)) for word in command[1:])]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(words, cwd=folder, env=kept, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def wait(self):
        """Until it serves: half a minute of work the first time, when it compiles what it imports; the bound is a busy machine's."""
        until(lambda: self.alive() and httpx.get(self.url + self.health, timeout=5).status_code == 200, 400, f"starting {self.name}")

    def alive(self):
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {self.log.read_text()[-4000:]}"
        return True

    def stop(self):
        """Ends it, and what it started: both are of one process group, which is its own."""
        for signalled, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, signalled)
            except ProcessLookupError:
                break
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        self.process.wait(10)

    def get(self, path, **query):
        return self._answered(httpx.get(self.url + path, params=query, timeout=20))

    def post(self, path, body):
        return self._answered(httpx.post(self.url + path, json=body, timeout=20))

    def _answered(self, answer):
        assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()
