#!/usr/bin/env bash
# A real MCP server behind the proxy, without a service: approvals live in one SQLite file.
#
#     examples/mcp_proxy.sh
#
# The script is the MCP host: it starts the proxy, which starts the server (mcp_notes_server.py, which
# knows nothing of Sernixa). Reading notes runs at once, by policy. Adding one waits for a person, who
# decides with `sernixa approvals` in the place of a second terminal. Deleting all is refused.
# It needs bash and python3; `sernixa` is built if SERNIXA does not name one. No network.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${SERNIXA:-}" ]; then
    cargo build --quiet --package sernixa-cli
    SERNIXA=${CARGO_TARGET_DIR:-target}/debug/sernixa
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
store=$folder/approvals.db notes=$folder/notes.txt

# The operator's word on this server: its own word that a tool only reads is believed.
cat >"$folder/sernixa.toml" <<'TOML'
[mcp.servers.notes]
trust_annotations = true
TOML

coproc PROXY {
    exec "$SERNIXA" mcp proxy --server notes --store "$store" --config "$folder/sernixa.toml" \
        -- python3 examples/mcp_notes_server.py "$notes"
}

id=0
# Sends a request to the proxy: the method, and its params as JSON.
ask() {
    id=$((id + 1))
    printf '{"jsonrpc": "2.0", "id": %d, "method": "%s", "params": %s}\n' "$id" "$1" "$2" >&"${PROXY[1]}"
}
# Shows the answer to the latest request.
answer() {
    local line
    while read -r line <&"${PROXY[0]}"; do
        case $line in *"\"id\":$id,"* | *"\"id\": $id,"*) break ;; esac
    done
    python3 - "$line" <<'PYTHON'
import json, sys

answer = json.loads(sys.argv[1])
for block in answer["result"].get("content", []):
    print("   ", block["text"].rstrip() or "(nothing)")
PYTHON
}
# What the person at the second terminal does, once something waits: approve or reject.
person() {
    local found
    until found=$("$SERNIXA" approvals list --store "$store" --json | grep -o 'apr_[0-9a-f]*' | head -1) \
        && [ -n "$found" ]; do sleep 0.1; done
    "$SERNIXA" approvals list --store "$store" | sed 's/^/    /'
    "$SERNIXA" approvals "$1" "$found" --store "$store" --reason "$2" | sed 's/^/    /'
}

ask initialize '{"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a script", "version": "1"}}'
answer
printf '{"jsonrpc": "2.0", "method": "notifications/initialized"}\n' >&"${PROXY[1]}"

echo "The agent reads the notes. Low risk: policy lets it run."
ask tools/call '{"name": "read_notes", "arguments": {}}'
answer

echo "The agent adds a note. A person is asked, and approves."
ask tools/call '{"name": "add_note", "arguments": {"text": "the proxy was here"}}'
person approve "a note does no harm"
answer

echo "The agent deletes all notes. High risk, by the server's own word: a person is asked, and rejects."
ask tools/call '{"name": "delete_notes", "arguments": {}}'
person reject "the notes are needed"
answer

echo "What is in the file that the server writes:"
sed 's/^/    /' "$notes"
echo "What happened can be proved:"
exec {PROXY[1]}>&-
wait "$PROXY_PID" || true
"$SERNIXA" audit verify "$store" | sed 's/^/    /'
