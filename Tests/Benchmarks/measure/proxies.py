"""The proxies, each started with its configuration, and the stand-ins on both sides of them."""

import json
import re
import shutil
import subprocess
import time

from .machine import BUILT, HERE, LOAD_CORE, PROXY_CORE, ROOT, Invalid, Process, free_port, get


def fill(configuration, target, **values):
    text = (HERE / "configurations" / configuration).read_text()
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", str(value))
    if "{{" in text:
        raise Invalid(f"{configuration} has a place that nobody fills: {text[text.index('{{'):][:30]}")
    target.write_text(text)
    return target


def fresh_directory(name):
    directory = BUILT / "work" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


class Upstream:
    """The model provider's stand-in."""

    scheme = "http"

    def __init__(self, *options):
        self.port = free_port()
        self.process = Process("upstream", [BUILT / "upstream", self.port, *options], LOAD_CORE)
        self.process.wait_for_port(self.port)


class TLSUpstream:
    """The same over TLS: an nginx that answers itself."""

    scheme = "https"

    def __init__(self):
        self.port = free_port()
        directory = fresh_directory("tls-upstream")
        plain = Upstream()
        completion, _ = get(plain.port, "/", "POST", body=b"{}")
        plain.process.stop()
        configuration = fill(
            "tls-upstream.conf", directory / "nginx.conf", directory=directory, port=self.port, certificates=certificates(), completion=completion.decode())
        self.process = Process("tls-upstream", ["nginx", "-p", directory, "-c", configuration], LOAD_CORE)
        self.process.wait_for_port(self.port)


class Collector:
    def __init__(self, *options):
        self.port = free_port()
        self.process = Process("collector", [BUILT / "collector", self.port, *options], LOAD_CORE)
        self.process.wait_for_port(self.port)

    def counts(self):
        return json.loads(get(self.port, "/counts")[0])

    def reset(self):
        get(self.port, "/reset", "POST", body=b"")

    def wait_for(self, hops, seconds=30):
        """Until as many distinct hop spans have come; the counts. No more than that may come."""
        deadline = time.monotonic() + seconds
        while (counts := self.counts())["hops"] < hops and time.monotonic() < deadline:
            time.sleep(0.05)
        return counts


class Proxy:
    """One proxy on its core."""

    traces = False

    def __init__(self, upstream, collector=None, buffering="on"):
        self.port = free_port()
        self.directory = fresh_directory(self.name)
        self.upstream, self.collector, self.buffering = upstream, collector, buffering
        self.start()

    def start(self):
        self.process = Process(self.name, self.command(self.values()), PROXY_CORE)
        self.process.wait_for_port(self.port)

    def values(self):
        return {"port": self.port, "upstream": self.upstream.port, "directory": self.directory}

    def stop(self):
        self.process.stop()


class Nginx(Proxy):
    name = "nginx"

    def command(self, values):
        configuration = fill(
            "nginx.conf", self.directory / "nginx.conf", scheme=self.upstream.scheme, buffering=self.buffering, certificates=certificates(), **values)
        return ["nginx", "-p", self.directory, "-c", configuration]

    @staticmethod
    def version():
        return subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.split("/")[-1].strip()


class HAProxy(Proxy):
    name = "haproxy"

    def command(self, values):
        values.pop("directory")
        return ["haproxy", "-db", "-f", fill("haproxy.cfg", self.directory / "haproxy.cfg", **values)]

    @staticmethod
    def version():
        return subprocess.run(["haproxy", "-v"], capture_output=True, text=True).stdout.split()[2]


class Envoy(Proxy):
    name = "envoy"
    traces = True

    def command(self, values):
        values.pop("directory")
        configuration = fill("envoy.yaml", self.directory / "envoy.yaml", collector=self.collector.port, **values)
        return [envoy(), "-c", configuration, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]

    @staticmethod
    def version():
        return re.search(r"/(\d+\.\d+\.\d+)", subprocess.run([envoy(), "--version"], capture_output=True, text=True).stdout)[1]


def envoy():
    return next((BUILT / "venv").glob("lib/python3*/site-packages/envoy/_bin/envoy"))


class Hopspan(Proxy):
    name = "hopspan"
    traces = True
    binary = ROOT / ".build/release/hopspan"

    def __init__(self, *arguments, environment=None, prefix=(), binary=None, content="none", **named):
        self.environment = environment
        self.content = content
        self.prefix = list(prefix)
        self.binary = binary or Hopspan.binary
        self.api = free_port()
        super().__init__(*arguments, **named)

    def start(self):
        """Starts it on the store that is there; milliseconds until it said that it is ready."""
        start = time.monotonic()
        self.process = Process(self.name, self.command(self.values()), PROXY_CORE, environment=self.environment, reads=True)
        line = self.process.popen.stdout.readline()
        self.ready_ms = (time.monotonic() - start) * 1000
        try:
            ready = json.loads(line)
            if ready["event"] != "ready":
                raise ValueError
        except (ValueError, KeyError):
            raise Invalid(f"hopspan did not become ready, it said {line!r}: {self.process.tail()}") from None
        self.process.wait_for_port(self.port)
        return self.ready_ms

    def command(self, values):
        configuration = fill(
            "hopspan.yaml", self.directory / "hopspan.yaml", scheme=self.upstream.scheme, collector=self.collector.port, api=self.api,
            certificates=certificates(), content=self.content, **values)
        return [*self.prefix, self.binary, "serve", "--config", configuration]

    @staticmethod
    def version():
        commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
        return commit or "?"


def certificates():
    """A folder with an authority and the certificate of 127.0.0.1 that it signed."""
    directory = BUILT / "certificates"
    if not (directory / "upstream.pem").exists():
        directory.mkdir(parents=True, exist_ok=True)

        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

        key = ["-newkey", "rsa:2048", "-nodes", "-days", "3650"]
        openssl("req", "-x509", *key, "-subj", "/CN=Benchmark CA", "-keyout", "ca-key.pem", "-out", "ca.pem")
        openssl("req", *key[:-2], "-subj", "/CN=localhost", "-keyout", "upstream-key.pem", "-out", "upstream.csr")
        (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "upstream.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "3650",
                "-extfile", "names", "-out", "upstream.pem")
    return directory
