import sys
from pathlib import Path

import pytest

from backend import BackEnd, free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "EndToEnd"))
import gateway as program
from stand_in import StandIn
from story import Story


@pytest.fixture(scope="session")
def serving(tmp_path_factory):
    """Both back ends, by name; they start side by side."""
    phoenix, mlflow = tmp_path_factory.mktemp("phoenix"), tmp_path_factory.mktemp("mlflow")
    started = {}
    try:
        started["phoenix"] = BackEnd("phoenix", phoenix, ["phoenix", "serve"], "/healthz", {
            "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": "{port}", "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_WORKING_DIR": str(phoenix),
            "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false", "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        })
        started["mlflow"] = BackEnd("mlflow", mlflow, [
            "mlflow", "server", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1",
            "--backend-store-uri", f"sqlite:///{mlflow}/mlflow.db", "--artifacts-destination", f"{mlflow}/artifacts",
        ], "/health", {
            # Prices: those it brings, not those of the day.
            "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_MODEL_CATALOG_URI": "", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        })
        for each in started.values():
            each.wait()
        yield started
    finally:
        for each in started.values():
            each.stop()


@pytest.fixture(scope="session")
def phoenix(serving):
    return serving["phoenix"]


@pytest.fixture(scope="session")
def mlflow(serving):
    return serving["mlflow"]


@pytest.fixture(scope="session")
def story(serving, tmp_path_factory):
    """What went through a gateway that exports to both, as the README has it, and what its own api says of it."""
    upstream = StandIn()
    otlp = f"""
  otlp:
    - {{ endpoint: {serving["phoenix"].url}, batch_delay: 50ms }}
    - {{ endpoint: {serving["mlflow"].url}, headers: {{ x-mlflow-experiment-id: "0" }}, batch_delay: 50ms }}"""
    gateway = None
    try:
        gateway = program.Gateway(tmp_path_factory.mktemp("gateway"), program.configuration(upstream.url, telemetry=otlp))
        yield Story(gateway)
        assert gateway.stop() == 0, gateway.log
    finally:
        if gateway and gateway.process.poll() is None:
            gateway.kill()
        upstream.stop()
