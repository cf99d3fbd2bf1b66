"""
The printed client, asked to watch: URL, poll interval in seconds, topics. Says JSON, a line each: how it is connected, then each call of
its callback. Ends when its input does.
"""

import json
import sys

from task_copilot_client import TaskCopilotClient


def told(topic: str, event_type: str, data: dict) -> None:
    print(json.dumps({"topic": topic, "event_type": event_type, "data": data}))


api_base, poll_interval, *topics = sys.argv[1:]
client = TaskCopilotClient(api_base=api_base, poll_interval=int(poll_interval))
print(json.dumps({"connected": client.connect(), "polls": client.polling_active}))
client.subscribe(topics, told)
sys.stdin.read()
client.disconnect()
