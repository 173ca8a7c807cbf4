"""What a client of the official A2A SDK 0.3 gets: `a2a_client_0.py URL BINDING TRACEPARENT`, as JSON."""

import asyncio
import json
import sys
import uuid

import httpx
from a2a import types
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory


def message(words):
    return types.Message(message_id=str(uuid.uuid4()), role=types.Role.user, parts=[types.Part(root=types.TextPart(text=words))])


async def last(stream):
    """Which kinds of events came, and how the task ended."""
    kinds, ended = [], None
    async for event in stream:
        if isinstance(event, types.Message):
            kinds, ended = kinds + ["message"], event.parts[0].root.text
            continue
        task, update = event
        kind = update.kind.replace("-", "_") if update else "task"
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
        ended = task.status.state.value
    return kinds, ended


async def main(url, binding, traceparent):
    said = {}
    async with httpx.AsyncClient(headers={"traceparent": traceparent}, timeout=20) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        said["interfaces"] = [[card.url.removeprefix(url), card.preferred_transport]] + [
            [each.url.removeprefix(url), each.transport] for each in card.additional_interfaces or []]
        said["skills"], said["signatures"], said["version"] = [each.id for each in card.skills], len(card.signatures or []), card.version
        made = {streaming: ClientFactory(ClientConfig(httpx_client=http, supported_transports=[binding], streaming=streaming)).create(card) for streaming in (True, False)}
        client = made[True]
        for verb in ["work", "fail", "reject", "input", "auth", "say"]:
            said[verb] = (await last(made[False].send_message(message(verb))))[1]
            said[f"{verb}, streamed"] = await last(client.send_message(message(verb)))

        task_id = None
        async for task, update in client.send_message(message("wait")):
            task_id = task.id
            if update and update.kind == "artifact-update":
                break
        # Leaving the stream has not cancelled it.
        said["left"] = (await client.get_task(types.TaskQueryParams(id=task_id))).status.state.value
        watched = asyncio.create_task(last(client.resubscribe(types.TaskIdParams(id=task_id))))
        await asyncio.sleep(0.3)
        push = types.TaskPushNotificationConfig(task_id=task_id, push_notification_config=types.PushNotificationConfig(id="p1", url="http://127.0.0.1:1/hook", token="t"))
        said["push"] = [(await client.set_task_callback(push)).push_notification_config.id]
        got = await client.get_task_callback(types.GetTaskPushNotificationConfigParams(id=task_id, push_notification_config_id="p1"))
        said["push"].append(got.push_notification_config.url)
        said["cancelled"] = (await client.cancel_task(types.TaskIdParams(id=task_id))).status.state.value
        said["watched"] = (await watched)[1]
        try:
            await client.get_task(types.TaskQueryParams(id="nobodys"))
        except Exception as error:
            said["unknown task"] = type(error).__name__
        extended = await client.get_card()
        said["extended skills"] = [each.id for each in extended.skills]
        # What the client calls from now on is what the extended card says.
        said["after"] = (await last(client.send_message(message("work"))))[1]
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:]))
