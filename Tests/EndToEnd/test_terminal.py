"""On a terminal: base URLs to paste, colour, progress, and none of it elsewhere."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from gateway import BINARY, configuration, environment
from loopback import Handler, Server


class Terminal:
    """A program whose three streams are one terminal of a hundred columns."""

    def __init__(self, arguments, folder, **more):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.process = subprocess.Popen(
            [BINARY, *arguments], cwd=folder, env=environment(TERM="xterm-256color", **more), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.text = ""

    def read(self, mark=None, within=60):
        """What it has written: until a mark is in it, or to the end."""
        end = time.monotonic() + within
        while (mark is None or mark not in self.text) and time.monotonic() < end:
            if not select.select([self.ours], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self.ours, 65536)
            except OSError:  # the last of the other side has gone
                break
            self.text += piece.decode()
        assert mark is None or mark in self.text, self.text
        return self.text

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.read()
        code = self.process.wait(20)
        os.close(self.ours)
        return code


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_serve_prints_the_base_urls_to_paste(own_upstream, tmp_path):
    (tmp_path / "hopspan.yaml").write_text(configuration(own_upstream.url))
    terminal = Terminal(["serve", "--config", "hopspan.yaml"], tmp_path)
    text = terminal.read("hopspan runs --api").replace("\r\n", "\n")
    ready = re.search(r'\{"event":"ready","gateway":"([^"]+)","api":"([^"]+)"\}\n', text)
    assert f"OPENAI_BASE_URL=http://{ready[1]}/openai/v1\n" in text
    assert f"ANTHROPIC_BASE_URL=http://{ready[1]}/anthropic\n" in text
    assert terminal.end() == 0


@pytest.mark.parametrize("more, coloured", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_the_demo_colours_its_tree(tmp_path, more, coloured):
    terminal = Terminal(["demo"], tmp_path, **more)
    text = terminal.read()
    assert terminal.end() == 0
    assert "chat gpt-4o" in COLOUR.sub("", text) and "529" in text
    assert bool(COLOUR.search(text)) == coloured


class SlowApi(Handler):
    """Half of an answer, and after more than a second the rest."""

    def do_GET(self):
        body = b'{"total_usd":"1.5","unpriced_hops":0,"rows":[]}' + b" " * 1000
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:500])
        self.wfile.flush()
        time.sleep(1.5)
        self.wfile.write(body[500:])


def test_what_takes_longer_than_a_second_shows_how_far_it_is(tmp_path):
    server = Server(SlowApi)
    try:
        asked = ["cost", "--api", f"http://127.0.0.1:{server.port}"]
        terminal = Terminal(asked, tmp_path)
        text = terminal.read()
        assert terminal.end() == 0
        assert "reading the answer" in text and "━" in text and " of 1047" in text
        assert "\r\x1b[K" in text.rpartition(" of 1047")[2], "the line goes away"
        piped = subprocess.run([BINARY, *asked], env=environment(), capture_output=True, text=True, timeout=60)
        assert piped.returncode == 0 and piped.stderr == ""
    finally:
        server.stop()
