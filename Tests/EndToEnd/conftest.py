import secrets

import pytest

import gateway as program
from collector import Collector
from stand_in import StandIn


@pytest.fixture(scope="session")
def upstream():
    made = StandIn()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def gateway(upstream, collector, tmp_path_factory):
    """One gateway for all the tests that leave it as it was."""
    absent = "{ dialect: %s, base_url: 'http://127.0.0.1:1' }"
    providers = f"\n  absent: {absent % 'openai'}\n  absent-too: {absent % 'anthropic'}"
    made = program.Gateway(tmp_path_factory.mktemp("gateway"), program.configuration(upstream.url, collector, providers=providers))
    yield made
    assert made.stop() == 0, made.log


@pytest.fixture
def own_upstream():
    made = StandIn()
    yield made
    made.stop()


@pytest.fixture
def own_collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture
def start(own_upstream, tmp_path):
    """Starts a gateway for one test: `start(collector, …)`, with what `configuration` takes."""
    started = []

    def starting(collector=None, environment={}, signals_as_ours=False, **more):
        made = program.Gateway(tmp_path, program.configuration(own_upstream.url, collector, **more), signals_as_ours, **environment)
        started.append(made)
        return made

    yield starting
    for each in started:
        assert each.process.poll() is not None or each.stop() == 0, each.log


class Trace:
    """A trace of the caller's own."""

    def __init__(self):
        self.id, self.parent = secrets.token_hex(16), secrets.token_hex(8)
        self.headers = {"traceparent": f"00-{self.id}-{self.parent}-01"}


@pytest.fixture
def trace():
    return Trace()
