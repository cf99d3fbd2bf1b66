# start-streams.py updates

from task_copilot_client import TaskCopilotClient

# Initialize client with WebSocket support
client = TaskCopilotClient(
    api_base=config['apiBaseUrl'],
    use_websocket=True,
    poll_interval=config.get('pollInterval', 30)
)

# Connect (auto-falls back to polling if WS unavailable)
if not client.connect():
    print("Warning: Could not connect to Task Copilot")
    sys.exit(1)

# Subscribe to stream progress
def on_stream_progress(topic: str, event_type: str, data: dict):
    stream_id = data['streamId']
    progress = data['progressPercentage']
    print(f"Stream {stream_id}: {progress:.1f}% complete")

    # Check if dependencies satisfied
    if progress == 100.0:
        trigger_dependent_streams(stream_id)

for stream in config['streams']:
    client.subscribe([f"stream:{stream['streamId']}"], on_stream_progress)

# Subscribe to task status changes
def on_task_status(topic: str, event_type: str, data: dict):
    task_id = data['taskId']
    new_status = data['newStatus']

    if new_status == 'blocked':
        print(f"⚠ Task {task_id} blocked")
        send_notification(f"Task blocked: {data['taskTitle']}")

client.subscribe(['task:*'], on_task_status)

# Keep script running
try:
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    print("\nShutting down...")
    client.disconnect()
