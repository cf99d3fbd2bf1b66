class TaskCopilotClient:
    def __init__(self, api_base: str, prefer_websocket: bool = True):
        self.mode = None  # 'websocket' or 'http'

        if prefer_websocket:
            # Try WebSocket first
            if self._test_websocket():
                self.mode = 'websocket'
                self._connect_websocket()
            else:
                self.mode = 'http'
                self._start_polling()
        else:
            self.mode = 'http'
            self._start_polling()

    def _test_websocket(self) -> bool:
        """Quick connectivity test."""
        try:
            # Test HTTP endpoint first
            resp = requests.get(f"{self.api_base}/health", timeout=2)
            if resp.status_code != 200:
                return False

            # Test WebSocket upgrade
            ws = websocket.create_connection(self.ws_url, timeout=2)
            ws.close()
            return True
        except Exception:
            return False
