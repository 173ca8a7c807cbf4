"""What the log tells an operator of: in JSON lines, a line a kind a second, with nothing of any message in it."""

import json
import time

import httpx

from collector import until
from gateway import configuration


def lines(gateway, event):
    return [line for line in map(json.loads, list(gateway.log)) if event in line["event"]]


def test_a_flood_of_wrong_run_names_is_counted_and_not_repeated(start):
    gateway = start()
    count, name = 300, "my secret naïve name"
    began = time.monotonic()
    with httpx.Client() as client:
        for _ in range(count):
            assert client.get(f"{gateway.url}/openai/v1/models", headers={"x-hopspan-run": name.encode()}).status_code < 500
    seconds = time.monotonic() - began
    told = lambda: lines(gateway, "names of runs")
    assert until(lambda: sum(int(line["wrong_characters"]) for line in told()) == count)
    assert all(line["level"] == "warn" and line["wrong_length"] == "0" for line in told())
    # One a second, and one for the second that had begun.
    assert len(told()) <= seconds + 2
    assert "secret" not in "".join(gateway.log)


def test_a_provider_that_is_away_is_told_of_once_and_when_it_is_back(start, own_upstream, tmp_path):
    gateway = start()
    ask = lambda: httpx.get(f"{gateway.url}/openai/v1/models?key=my-secret").status_code
    port = own_upstream.server.port
    own_upstream.stop()
    for _ in range(3):
        assert ask() == 502
    assert until(lambda: lines(gateway, "cannot be reached"))
    for _ in range(3):
        assert ask() == 502
    time.sleep(2.5)
    told, = lines(gateway, "cannot be reached")
    assert told["provider"] == "openai" and "providers.openai.base_url" in told["reason"]
    back = type(own_upstream)(port=port)
    try:
        assert until(lambda: ask() < 500)
        assert until(lambda: lines(gateway, "reached again"))
    finally:
        back.stop()
    assert int(lines(gateway, "reached again")[0]["failures"]) >= 6
    assert "my-secret" not in "".join(gateway.log)
