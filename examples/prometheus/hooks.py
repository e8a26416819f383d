#!/usr/bin/env python3
"""Stands in for a webhook, Slack and PagerDuty: answers as they would, and prints what they were sent."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS = {
    "/webhook": (200, "text/plain", b"ok"),
    "/slack": (200, "text/plain", b"ok"),
    "/pagerduty": (202, "application/json", b'{"status": "success", "message": "Event processed"}'),
}


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            shown = json.dumps(json.loads(body), indent=2)
        except ValueError:
            shown = body.decode("utf-8", "replace")
        key = self.headers.get("Idempotency-Key", "none")
        print(f"{self.path} (idempotency key {key})\n{shown}\n", flush=True)
        status, content_type, answer = ANSWERS.get(self.path, (404, "text/plain", b"no such hook\n"))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """What was sent is printed above."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9876
    print(f"listening on 127.0.0.1:{port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Hook).serve_forever()
