"""An MCP server over HTTP that writes down each call that reaches it, before it does anything else.

Usage: upstream.py JOURNAL; it prints its port. It speaks 2025-11-25 in sessions and 2026-07-28 without.
Each line of the journal is `{"text": …, "tool": …, "state": …}`, the state being the one that a retry
brought. `ask` and `ask_gravely` ask for input twice before they are done, in 2026-07-28.
"""

import json
import os
import random
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [{"name": name, "inputSchema": TEXT} for name in ("add_note", "ask", "ask_gravely")]
QUESTION = {"who": {"method": "elicitation/create", "params": {
    "mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}}}
QUESTIONS = 2

journal = open(sys.argv[1], "a", encoding="utf-8")
writing = threading.Lock()
sessions = set()


def reached(call):
    with writing:
        journal.write(json.dumps(call) + "\n")
        journal.flush()
        os.fsync(journal.fileno())


def call(params, modern):
    tool, text = params["name"], params["arguments"]["text"]
    state = params.get("requestState")
    reached({"text": text, "tool": tool, "state": state})
    # Time to be killed in.
    time.sleep(random.random() / 20)
    answered = int(state.split(" ")[0]) if state else 0
    if modern and tool != "add_note" and answered < QUESTIONS:
        return {"resultType": "input_required", "inputRequests": QUESTION,
                "requestState": f"{answered + 1} {uuid.uuid4()}"}
    return {"resultType": "complete", "content": [{"type": "text", "text": "done: " + text}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        session = self.headers.get("Mcp-Session-Id")
        if session is not None and session not in sessions:
            return self.say(404)
        if "id" not in message:
            return self.say(202)
        params = message.get("params", {})
        modern = "io.modelcontextprotocol/protocolVersion" in params.get("_meta", {})
        headers = {}
        match message["method"]:
            case "initialize":
                headers["Mcp-Session-Id"] = str(uuid.uuid4())
                sessions.add(headers["Mcp-Session-Id"])
                result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                          "serverInfo": {"name": "notes", "version": "1"}}
            case "tools/list":
                result = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                          "tools": TOOLS}
            case "tools/call":
                result = call(params, modern)
            case _:
                result = {}
        self.say(200, {"jsonrpc": "2.0", "id": message["id"], "result": result}, headers)

    def do_GET(self):
        self.say(405)

    def do_DELETE(self):
        self.say(200)

    def say(self, status, body=None, headers={}):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
