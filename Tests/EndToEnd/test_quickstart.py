"""otel/quickstart.sh: what it does before and after it builds. A stand-in for the toolchain says that it has built."""

import json
import os
import socket
import subprocess
from pathlib import Path

import httpx
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
        return subprocess.run(["bash", str(SCRIPT), *arguments], env=run.environment, capture_output=True, text=True, timeout=60)

    run.environment = environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
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


@pytest.fixture
def machine(tmp_path, quickstart):
    """A machine that misses packages: what stands in for Debian's commands notes what they are asked."""
    asked = tmp_path / "said"

    def put(name, script):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    def made(user, sudo=None, works=True):
        # Nothing but zlib is there, until it is installed.
        put("dpkg-query", f'case "$*" in *zlib1g-dev*) echo "install ok installed" ;; *) [ -e "{tmp_path}/installed" ] && echo "install ok installed" ;; esac')
        put("id", f'echo {user}')
        put("apt-get", f'echo "apt-get $*" >>"{asked}"; ' + (f'case "$*" in *install*) touch "{tmp_path}/installed" ;; esac' if works else 'echo "E: no network" >&2; exit 100'))
        put("sudo", {None: "exit 1", True: f'[ "$1" = -n ] && exit 0; echo "sudo $*" >>"{asked}"; exec "$@"', False: "exit 1"}[sudo])
        return lambda *arguments: quickstart(*arguments)

    made.asked = lambda: asked.read_text().splitlines() if asked.exists() else []
    return made


MISSING = "libprotobuf-c-dev libisal-dev libssl-dev libsqlite3-dev libyaml-dev"


def test_what_is_missing_is_installed_by_root_once(machine, quickstart):
    run = machine(user=0)
    for _ in range(2):
        ended = run("--once", "--port", "0")
        assert ended.returncode == 0, ended
    assert machine.asked() == ["apt-get update -qq", f"apt-get install -y -qq {MISSING}"]
    assert quickstart.has_built()


def test_what_is_missing_is_installed_with_sudo_where_it_asks_nothing(machine, quickstart):
    ended = machine(user=1000, sudo=True)("--once", "--port", "0")
    assert ended.returncode == 0, ended
    assert [line for line in machine.asked() if line.startswith("sudo")] == [
        "sudo apt-get update -qq", f"sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq {MISSING}"]


def test_without_the_right_to_install_the_one_line_to_run_is_printed(machine, quickstart):
    ended = machine(user=1000, sudo=False)("--once", "--port", "0")
    assert ended.returncode == 1
    assert f"\n  sudo apt-get update && sudo apt-get install -y {MISSING}\n" in ended.stderr
    assert machine.asked() == [] and not quickstart.has_built()


def test_packages_that_cannot_be_had_end_it_with_their_words(machine, quickstart):
    ended = machine(user=0, works=False)("--once", "--port", "0")
    assert ended.returncode == 1
    assert "E: no network" in ended.stderr and not quickstart.has_built()


def test_it_leaves_the_gateway_serving(quickstart, tmp_path):
    with subprocess.Popen(
            ["bash", str(SCRIPT), "--port", "0", "--store", str(tmp_path / "kept.db")], env=quickstart.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True) as process:
        try:
            lines = []
            while not lines or not lines[-1].startswith('{"event":"ready"'):
                lines.append(process.stdout.readline())
                assert lines[-1], lines
            ready = json.loads(lines[-1])
            assert "run demo-" in "".join(lines)
            runs = httpx.get(f"http://{ready['api']}/api/runs").json()["runs"]
            assert [run["run_id"].startswith("demo-") for run in runs] == [True]
            assert httpx.get(f"http://{ready['gateway']}/nobody/v1/models").status_code == 404
        finally:
            process.terminate()
        assert process.wait(20) == 0


def test_its_other_words_go_to_the_demo(quickstart, tmp_path):
    ended = quickstart("--once", "--port", "0", "--store", str(tmp_path / "kept.db"))
    assert ended.returncode == 0, ended
    assert "run demo-" in ended.stdout
    assert (tmp_path / "kept.db").exists()
    assert 'export PATH="' in ended.stdout, "how a shell finds hopspan is said last"
