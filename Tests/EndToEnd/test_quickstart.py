"""otel/quickstart.sh: what it does before and after it builds. A stand-in for the toolchain says that it has built."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from gateway import BINARY, environment

SCRIPT = Path(__file__).parents[2] / "otel/quickstart.sh"


@pytest.fixture
def quickstart(tmp_path):
    swift = tmp_path / "swift"
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "hopspan").symlink_to(BINARY)
    swift.write_text(f'#!/bin/sh\ntouch "{tmp_path}/asked"\ncase "$*" in *--show-bin-path*) echo "{folder}" ;; *) echo "Build complete!" ;; esac\n')
    swift.chmod(0o755)

    def run(*arguments):
        return subprocess.run(
            ["bash", str(SCRIPT), *arguments], env=environment(PATH=f"{tmp_path}:{os.environ['PATH']}"), capture_output=True, text=True, timeout=60)

    run.has_built = lambda: (tmp_path / "asked").exists()
    return run


@pytest.mark.parametrize("place", [0, 1])
def test_a_port_in_use_is_said_before_it_builds(quickstart, place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = quickstart("--port", str(port - place))
    assert ended.returncode == 1
    assert f"port {port} is in use" in ended.stderr
    assert not quickstart.has_built()


@pytest.mark.parametrize("arguments", [["--prot", "9700"], ["--port"], ["--port", "many"], ["serve"]])
def test_other_words_are_not_taken_before_it_builds(quickstart, arguments):
    ended = quickstart(*arguments)
    assert ended.returncode == 2
    assert "quickstart.sh --port 9700" in ended.stdout
    assert not quickstart.has_built()


def test_its_other_words_go_to_the_demo(quickstart, tmp_path):
    ended = quickstart("--once", "--port", "0", "--store", str(tmp_path / "kept.db"))
    assert ended.returncode == 0, ended
    assert "run demo-" in ended.stdout
    assert (tmp_path / "kept.db").exists()
    assert 'export PATH="' in ended.stdout, "how a shell finds hopspan is said last"
