"""The printed orchestrator, with what it calls and does not define: its configuration, as JSON in the first argument, and what follows from events."""

import json
import runpy
import sys
import time

runpy.run_path(
    sys.argv[2],
    init_globals={
        "config": json.loads(sys.argv[1]),
        "sys": sys,
        "time": time,
        "trigger_dependent_streams": lambda stream_id: print(f"trigger {stream_id}"),
        "send_notification": lambda text: print(f"notify {text}"),
    },
)
