"""hopspan prices --import beside a running gateway: the next call costs what the file says."""

import json

import httpx
import pytest

from collector import until
from gateway import hopspan

#: 200 fresh, 1,000 cached, 80 out.
TOKENS = (200, 1000, 80)
RATES = {"input": "5", "output": "20", "cache_read": "1"}
#: The answer names the dated model, which has a price of its own.
OURS = {"updated": "2027-01-02", "providers": {"openai": {"models": {"gpt-4o": RATES, "gpt-4o-2024-11-20": RATES}}}}
LITELLM = {
    "gpt-4o-2024-11-20": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "cache_read_input_token_cost": 5e-7},
    "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "cache_read_input_token_cost": 5e-7},
}


def cost(gateway):
    """What a chat costs now."""
    answer = httpx.post(
        f"{gateway.url}/openai/v1/chat/completions", headers={"authorization": "Bearer sk-ok"}, json={"model": "gpt-4o", "messages": []})
    return gateway.run(answer.headers["x-hopspan-run"])["cost_usd"]


def take(gateway, tmp_path, text):
    file = tmp_path / "new-prices.json"
    file.write_text(text if isinstance(text, str) else json.dumps(text))
    return hopspan("prices", "--import", str(file), "--config", str(gateway.file))


@pytest.mark.parametrize("prices, layout, expected", [(OURS, "the catalogue's layout", "0.0036"), (LITELLM, "LiteLLM's prices", "0.00086")])
def test_imported_prices_are_taken_up_by_a_running_gateway(start, tmp_path, prices, layout, expected):
    gateway = start()
    assert cost(gateway) == "0.00255"
    ended = take(gateway, tmp_path, prices)
    assert ended.returncode == 0, ended
    assert layout in ended.stdout and "with another entry" in ended.stdout and str(tmp_path / "prices.json") in ended.stdout
    assert until(lambda: cost(gateway) == expected, 20), cost(gateway)
    shown = hopspan("prices", "gpt-4o", "--config", str(gateway.file))
    assert shown.returncode == 0 and ("5" if prices is OURS else "1") in shown.stdout
    # And by the next one.
    assert gateway.stop() == 0
    gateway.start()
    assert cost(gateway) == expected


@pytest.mark.parametrize("text, words", [
    ("{", "no JSON"), ("[]", "neither a price file"), (json.dumps({"providers": {"openai": {"models": {"gpt-4o": {"input": "cheap"}}}}}), "is no price")])
def test_a_bad_price_file_is_refused_and_the_prices_stay(start, tmp_path, text, words):
    gateway = start()
    assert take(gateway, tmp_path, OURS).returncode == 0
    assert until(lambda: cost(gateway) == "0.0036", 20)
    kept = (tmp_path / "prices.json").read_bytes()
    ended = take(gateway, tmp_path, text)
    assert ended.returncode == 1 and words in ended.stderr and ended.stdout == "", ended
    assert (tmp_path / "prices.json").read_bytes() == kept
    assert cost(gateway) == "0.0036"


def test_prices_cannot_be_kept_beside_a_store_in_memory(start, tmp_path):
    gateway = start(store=":memory:")
    ended = take(gateway, tmp_path, OURS)
    assert ended.returncode == 1 and ":memory:" in ended.stderr
    assert not (tmp_path / "prices.json").exists()
