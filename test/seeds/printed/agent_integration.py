from backend.event_bus import event_bus
from backend.models import WebSocketEventType

# Emit progress update
await event_bus.emit_progress_update(
    task_id="task_001",
    progress=0.75,
    message="Processing documents...",
    confidence=0.85
)

# Emit tool call
await event_bus.emit_tool_call(
    task_id="task_001",
    tool_name="web_scraper",
    args={"url": "https://example.com"},
    result={"status": "success"}
)
