"""What a client of the official A2A SDK 1.x gets: `a2a_client_1.py URL BINDING TRACEPARENT`, as JSON."""

import asyncio
import json
import sys

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.helpers import new_text_message
from a2a.types import a2a_pb2 as types


def state(status):
    return types.TaskState.Name(status.state).removeprefix("TASK_STATE_").lower().replace("_", "-")


def message(words):
    return types.SendMessageRequest(message=new_text_message(words, role=types.Role.ROLE_USER))


async def last(stream):
    """Which kinds of events came, and how the task ended."""
    kinds, ended = [], None
    async for event in stream:
        kind = event.WhichOneof("payload")
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
        if kind == "message":
            ended = event.message.parts[0].text
        elif kind in ("task", "status_update"):
            ended = state(getattr(event, kind).status)
    return kinds, ended


async def main(url, binding, traceparent):
    said = {}
    async with httpx.AsyncClient(headers={"traceparent": traceparent}, timeout=20) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        said["interfaces"] = [[each.url.removeprefix(url), each.protocol_binding, each.protocol_version] for each in card.supported_interfaces]
        said["skills"], said["signatures"], said["version"] = [each.id for each in card.skills], len(card.signatures), card.version
        made = {streaming: ClientFactory(ClientConfig(httpx_client=http, supported_protocol_bindings=[binding], streaming=streaming)).create(card) for streaming in (True, False)}
        client = made[True]
        for verb in ["work", "fail", "reject", "input", "auth", "say"]:
            said[verb] = (await last(made[False].send_message(message(verb))))[1]
            said[f"{verb}, streamed"] = await last(client.send_message(message(verb)))

        task_id = None
        async for event in client.send_message(message("wait")):
            task_id = task_id or event.task.id
            if event.WhichOneof("payload") == "artifact_update":
                break
        # Leaving the stream has not cancelled it.
        said["left"] = state((await client.get_task(types.GetTaskRequest(id=task_id))).status)
        watched = asyncio.create_task(last(client.subscribe(types.SubscribeToTaskRequest(id=task_id))))
        await asyncio.sleep(0.3)
        push = types.TaskPushNotificationConfig(id="p1", task_id=task_id, url="http://127.0.0.1:1/hook", token="t")
        said["push"] = [(await client.create_task_push_notification_config(push)).id]
        said["push"].append((await client.get_task_push_notification_config(types.GetTaskPushNotificationConfigRequest(id="p1", task_id=task_id))).url)
        try:
            await client.delete_task_push_notification_config(types.DeleteTaskPushNotificationConfigRequest(id="p1", task_id=task_id))
            said["push"].append(len((await client.list_task_push_notification_configs(types.ListTaskPushNotificationConfigsRequest(task_id=task_id))).configs))
        except NotImplementedError:
            pass  # the SDK has no such calls for an agent of 0.3 over HTTP+JSON
        said["cancelled"] = state((await client.cancel_task(types.CancelTaskRequest(id=task_id))).status)
        said["watched"] = (await watched)[1]
        try:
            said["listed"] = task_id in [each.id for each in (await client.list_tasks(types.ListTasksRequest())).tasks]
        except NotImplementedError:
            pass  # nor this one for any agent of 0.3
        try:
            await client.get_task(types.GetTaskRequest(id="nobody's"))
        except Exception as error:
            said["unknown task"] = type(error).__name__
        extended = await client.get_extended_agent_card(types.GetExtendedAgentCardRequest())
        said["extended skills"] = [each.id for each in extended.skills]
        # What the client calls from now on is what the extended card says.
        said["after"] = (await last(client.send_message(message("work"))))[1]
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:]))
