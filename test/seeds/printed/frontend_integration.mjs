// Connect to task WebSocket
const ws = new WebSocket(`ws://localhost:8000/ws/tasks/task_001`);

ws.onmessage = (event) => {
    const message = JSON.parse(event.data);
    console.log('Event:', message.event_type, message.data);
};

// Send heartbeat
ws.send(JSON.stringify({type: "heartbeat", timestamp: Date.now()}));
