"""What the stand-in says, in whatever API."""

TEXT = ["Grüße", " aus", " dem", " 東京", " office", "."]
TOOL = {"id": "call_weather", "name": "get_weather", "arguments": '{"city":"Paris","unit":"celsius"}'}
