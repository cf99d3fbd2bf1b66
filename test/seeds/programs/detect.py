"""
The printed test of the connection: it is a part of the client, and uses what it does not set. The addresses come from here, all else from
the whole client. Says which mode it chose.
"""

import runpy
import sys

import requests
import task_copilot_client
import websocket

printed = runpy.run_path(sys.argv[2], init_globals={"requests": requests, "websocket": websocket})["TaskCopilotClient"]
whole = task_copilot_client.TaskCopilotClient(api_base=sys.argv[1], poll_interval=1)


class Client(printed, task_copilot_client.TaskCopilotClient):
    def __getattr__(self, name: str) -> object:
        return getattr(whole, name)


client = Client(api_base=sys.argv[1])
print(f"mode {client.mode}")
client.disconnect()
