# task_copilot_client.py

import json
import time
import threading
from typing import Callable, Dict, List, Optional
from datetime import datetime

try:
    import websocket
    WEBSOCKET_AVAILABLE = True
except ImportError:
    WEBSOCKET_AVAILABLE = False
    print("Warning: websocket-client not installed, falling back to HTTP polling")

import requests


class TaskCopilotClient:
    """
    Client for Task Copilot with WebSocket support and HTTP fallback.

    Usage:
        client = TaskCopilotClient()

        # Subscribe to events (WebSocket mode)
        client.subscribe(['stream:Stream-A'], on_stream_progress)

        # Or use HTTP polling (fallback)
        status = client.get_stream_status('Stream-A')
    """

    def __init__(
        self,
        api_base: str = "http://127.0.0.1:9090",
        use_websocket: bool = True,
        poll_interval: int = 30
    ):
        self.api_base = api_base
        self.ws_url = api_base.replace('http://', 'ws://').replace('https://', 'wss://') + '/ws'
        self.use_websocket = use_websocket and WEBSOCKET_AVAILABLE
        self.poll_interval = poll_interval

        self.ws: Optional[websocket.WebSocketApp] = None
        self.subscriptions: Dict[str, List[Callable]] = {}
        self.ws_thread: Optional[threading.Thread] = None
        self.connected = False

        # Fallback: polling thread
        self.polling_thread: Optional[threading.Thread] = None
        self.polling_active = False

    def connect(self) -> bool:
        """Connect to WebSocket or start HTTP polling."""
        if self.use_websocket:
            return self._connect_websocket()
        else:
            return self._start_polling()

    def _connect_websocket(self) -> bool:
        """Establish WebSocket connection."""
        try:
            self.ws = websocket.WebSocketApp(
                self.ws_url,
                on_message=self._on_message,
                on_error=self._on_error,
                on_close=self._on_close,
                on_open=self._on_open
            )

            self.ws_thread = threading.Thread(
                target=self.ws.run_forever,
                daemon=True
            )
            self.ws_thread.start()

            # Wait for connection
            timeout = 5
            start = time.time()
            while not self.connected and (time.time() - start) < timeout:
                time.sleep(0.1)

            if self.connected:
                print("✓ WebSocket connected")
                return True
            else:
                print("✗ WebSocket connection timeout, falling back to HTTP polling")
                return self._start_polling()

        except Exception as e:
            print(f"✗ WebSocket error: {e}, falling back to HTTP polling")
            return self._start_polling()

    def subscribe(
        self,
        topics: List[str],
        callback: Callable[[str, str, Dict], None]
    ):
        """
        Subscribe to topics.

        Args:
            topics: List of topic patterns (e.g., ['stream:Stream-A', 'task:*'])
            callback: Function(topic, eventType, data) called on events
        """
        for topic in topics:
            if topic not in self.subscriptions:
                self.subscriptions[topic] = []
            self.subscriptions[topic].append(callback)

        if self.use_websocket and self.connected:
            # Send subscribe message
            self.ws.send(json.dumps({
                'type': 'subscribe',
                'id': f'sub-{int(time.time())}',
                'timestamp': datetime.utcnow().isoformat() + 'Z',
                'payload': {
                    'topics': topics
                }
            }))

    def _on_message(self, ws, message: str):
        """Handle incoming WebSocket message."""
        try:
            msg = json.loads(message)

            if msg['type'] == 'event':
                topic = msg['payload']['topic']
                event_type = msg['payload']['eventType']
                data = msg['payload']['data']

                # Call matching subscriptions
                for pattern, callbacks in self.subscriptions.items():
                    if self._topic_matches(topic, pattern):
                        for callback in callbacks:
                            callback(topic, event_type, data)

            elif msg['type'] == 'ping':
                # Respond with pong
                ws.send(json.dumps({
                    'type': 'pong',
                    'timestamp': datetime.utcnow().isoformat() + 'Z',
                    'payload': {}
                }))

        except Exception as e:
            print(f"Error handling message: {e}")

    def _topic_matches(self, topic: str, pattern: str) -> bool:
        """Check if topic matches subscription pattern."""
        if pattern == '*':
            return True

        if pattern.endswith('*'):
            prefix = pattern[:-1]
            return topic.startswith(prefix)

        return topic == pattern

    def _on_open(self, ws):
        """WebSocket connection opened."""
        self.connected = True

    def _on_error(self, ws, error):
        """WebSocket error occurred."""
        print(f"WebSocket error: {error}")

    def _on_close(self, ws, close_status_code, close_msg):
        """WebSocket connection closed."""
        self.connected = False
        print("WebSocket connection closed")

    # HTTP fallback methods
    def _start_polling(self) -> bool:
        """Start HTTP polling thread."""
        self.polling_active = True
        self.polling_thread = threading.Thread(
            target=self._poll_loop,
            daemon=True
        )
        self.polling_thread.start()
        print(f"✓ HTTP polling started (interval: {self.poll_interval}s)")
        return True

    def _poll_loop(self):
        """Poll HTTP API for updates."""
        last_state = {}

        while self.polling_active:
            try:
                # Poll subscribed topics
                for topic_pattern in self.subscriptions.keys():
                    if topic_pattern.startswith('stream:'):
                        stream_id = topic_pattern.split(':')[1]
                        if stream_id != '*':
                            self._poll_stream(stream_id, last_state)

                    elif topic_pattern.startswith('task:'):
                        task_id = topic_pattern.split(':')[1]
                        if task_id != '*':
                            self._poll_task(task_id, last_state)

                time.sleep(self.poll_interval)

            except Exception as e:
                print(f"Polling error: {e}")
                time.sleep(self.poll_interval)

    def _poll_stream(self, stream_id: str, last_state: Dict):
        """Poll stream status and emit synthetic events."""
        try:
            resp = requests.get(
                f"{self.api_base}/api/streams/{stream_id}",
                timeout=10
            )
            resp.raise_for_status()
            data = resp.json()

            # Detect changes and emit events
            key = f'stream:{stream_id}'
            if key not in last_state or last_state[key] != data:
                # Emit progress event
                for callbacks in self.subscriptions.get(f'stream:{stream_id}', []):
                    callbacks(
                        f'stream:{stream_id}',
                        'stream.progress',
                        {
                            'streamId': stream_id,
                            'streamName': data['streamName'],
                            'totalTasks': data['tasks'],
                            'completedTasks': len([t for t in data.get('taskList', []) if t['status'] == 'completed']),
                            'progressPercentage': data.get('progress', 0)
                        }
                    )

                last_state[key] = data

        except Exception as e:
            print(f"Error polling stream {stream_id}: {e}")

    def disconnect(self):
        """Disconnect WebSocket or stop polling."""
        if self.ws:
            self.ws.close()
        self.polling_active = False
