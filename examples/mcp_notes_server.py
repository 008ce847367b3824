#!/usr/bin/env python3
"""A small MCP server over stdio, as any other would be written: it keeps notes in a file.

Usage: mcp_notes_server.py FILE

`read_notes` says that it only reads, `delete_notes` that it destroys; `add_note` says nothing. It
knows nothing of Sernixa: see mcp_proxy.sh. Python's standard library is all it needs.
"""

import json
import os
import sys

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
NOTHING = {"type": "object", "properties": {}}
TOOLS = [
    {"name": "read_notes", "description": "Read all notes.", "inputSchema": NOTHING,
     "annotations": {"readOnlyHint": True}},
    {"name": "add_note", "description": "Add a note.", "inputSchema": TEXT},
    {"name": "delete_notes", "description": "Delete all notes.", "inputSchema": NOTHING,
     "annotations": {"destructiveHint": True}},
]
VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


class Refused(Exception):
    """An error answer: its code and message."""


def call(file, params):
    """Runs a tool; what it did is on disk before it answers."""
    name, arguments = params.get("name"), params.get("arguments", {})
    if name == "read_notes":
        with open(file, encoding="utf-8") as notes:
            return notes.read()
    if name == "add_note":
        with open(file, "a", encoding="utf-8") as notes:
            notes.write(arguments["text"] + "\n")
            notes.flush()
            os.fsync(notes.fileno())
        return "added: " + arguments["text"]
    if name == "delete_notes":
        with open(file, "w", encoding="utf-8") as notes:
            os.fsync(notes.fileno())
        return "deleted"
    raise Refused(-32602, f"no such tool: {name}")


def answer(file, method, params):
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in VERSIONS else VERSIONS[-1],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "notes", "version": "1.0.0"},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": call(file, params)}]}
    raise Refused(-32601, f"no such method: {method}")


def main():
    file = sys.argv[1]
    open(file, "a", encoding="utf-8").close()
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message or "id" not in message:
            continue
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            reply["result"] = answer(file, message["method"], message.get("params", {}))
        except Refused as refused:
            code, text = refused.args
            reply["error"] = {"code": code, "message": text}
        except (KeyError, TypeError) as fault:
            reply["error"] = {"code": -32602, "message": repr(fault)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
