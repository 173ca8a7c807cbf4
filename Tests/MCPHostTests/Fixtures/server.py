"""An MCP server on standard input and output that does what it is told: tools are its troubles."""

import json
import os
import signal
import subprocess
import sys
import time


def write(message):
    sys.stdout.buffer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def raw(line):
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def answer(request, **result):
    write({"jsonrpc": "2.0", "id": request["id"], "result": result})


def say(text):
    return {"content": [{"type": "text", "text": text}]}


def log(data):
    write({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": data}})


def call(request):
    params = request["params"]
    name, arguments = params["name"], params.get("arguments", {})
    if name == "echo":
        answer(request, **say(json.dumps({"id": request["id"], "params": params}, sort_keys=True)))
    elif name == "process":
        answer(request, **say(json.dumps({
            "pid": os.getpid(), "environment": dict(os.environ), "arguments": sys.argv[1:], "session": os.getsid(0),
            "descriptors": {number: os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{number}")},
            "blocked": [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn"))]})))
    elif name == "dies":
        sys.stderr.write("about to die\n")
        sys.stderr.flush()
        os._exit(arguments.get("status", 3))
    elif name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "mute":
        os.close(1)
        time.sleep(600)
    elif name == "hangs":
        waiting.append(request)
    elif name == "answers_waiting":
        for each in waiting:
            answer(each, **say("late"))
        waiting.clear()
        answer(request, **say("done"))
    elif name == "twice":
        answer(request, **say("first"))
        answer(request, **say("second"))
    elif name == "unknown":
        answer({"id": 987654}, **say("nobody"))
        answer({"id": str(request["id"])}, **say("another type"))
        answer(request, **say("known"))
    elif name == "between":
        token = params.get("_meta", {}).get("progressToken")
        log("one")
        if token is not None:
            write({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}})
        write({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        answer(request, **say("done"))
    elif name == "long":
        answer(request, **say("x" * arguments["bytes"]))
    elif name == "long_id_last":
        raw(json.dumps({"result": say("x" * arguments["bytes"]), "jsonrpc": "2.0", "id": request["id"]}, separators=(",", ":")).encode() + b"\n")
    elif name == "not_utf8":
        raw(b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"\xff\xfe"}]}}\n' % request["id"])
    elif name == "junk":
        raw(b"Debug: something\n\n[1,2]\n{\"jsonrpc\":\"1.0\"}\n{\r\n")
        raw(b'{"jsonrpc":"2.0",\t"id":%d,"result":{}}\r\n' % request["id"])
    elif name == "error_without_id":
        write({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "cannot read that"}})
    elif name == "asks":
        asked[f"ask-{request['id']}"] = request
        write({"jsonrpc": "2.0", "id": f"ask-{request['id']}", "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}})
    elif name == "floods":
        for number in range(arguments["count"]):
            log("x" * 1000)
        answer(request, **say("done"))
    elif name == "announces":
        answer(request, **say("done"))
        for number in range(arguments.get("count", 1)):
            log(f"later {number}")
    elif name == "talks":
        for number in range(arguments["count"]):
            sys.stderr.write(f"line {number}\n")
        sys.stderr.flush()
        answer(request, **say("done"))
    elif name == "child":
        left = subprocess.Popen(["sleep", "600"])
        answer(request, **say(str(left.pid)))
    elif name == "deaf":
        answer(request, **say("done"))
        time.sleep(600)
    elif name == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        answer(request, **say("done"))
        sys.stdin = None
        while True:
            time.sleep(600)


waiting, asked, seen = [], {}, []


def main():
    if "--dies-at-once" in sys.argv:
        sys.exit(7)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        method = message.get("method")
        if method is None:
            answer(asked.pop(message["id"]), **say("heard " + json.dumps(message.get("result", message.get("error")), sort_keys=True)))
        elif "id" not in message:
            seen.append(message)
        elif method == "initialize" and "--refuses" in sys.argv:
            write({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "not that version"}})
        elif method == "initialize":
            answer(message, protocolVersion=message["params"]["protocolVersion"], capabilities={"tools": {}}, serverInfo={"name": "troubles", "version": "1"})
        elif method == "ping":
            answer(message)
        elif method == "seen":
            answer(message, notifications=seen)
        elif method == "server/discover" and "--modern" in sys.argv:
            answer(message, supportedVersions=["2026-07-28"], capabilities={"tools": {}}, ttlMs=0, cacheScope="private", resultType="complete")
        elif method == "server/discover" and "--silent" in sys.argv:
            pass
        elif method == "subscriptions/listen":
            own = {"_meta": {"io.modelcontextprotocol/subscriptionId": message["id"]}}
            write({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"notifications": {}, **own}})
            write({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": own})
            if message["params"].get("ends"):
                answer(message, resultType="complete", **own)
        elif method == "tools/call":
            call(message)
        else:
            write({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no such method"}})


main()
