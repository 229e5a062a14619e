#!/usr/bin/env bash
# The Python SDK of the Model Context Protocol parses a text argument as JSON, if the argument may be left out: `[1042]` is refused as no text.
#
# Version:  mcp 2.3.0 (PyPI)
# Setting:  A tool with `notes: str | None = None`, and one with `notes: str = ""`, called by the SDK's own client with texts.
# Seen:     Of `str | None`, "[1042]" is refused ("Input should be a valid string"), and "null" arrives as None. Of `str`, both arrive as
#           they are. The schema of both says that a text is taken.
# Guessed:  That a text arrives as it is, whether the argument may be left out or not.
# Why:      A note such as "[1042]", or one that somebody names "null", is lost or refused, and what was stored differs from what was asked.
#           Declare text as plain `str` with a default.
#
# Run it as `bash findings/mcp-optional-text-is-parsed.sh` with Python 3.11 or newer. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "mcp==2.3.0"
cat > ask.py <<'PYTHON'
import asyncio

from mcp import Client
from mcp.server import MCPServer

server = MCPServer("texts", log_level="ERROR")


@server.tool()
def optional(notes: str | None = None) -> str:
    return repr(notes)


@server.tool()
def plain(notes: str = "") -> str:
    return repr(notes)


async def main():
    async with Client(server) as client:
        for tool in ("optional", "plain"):
            for notes in ("[1042]", "null", "1042"):
                said = await client.call_tool(tool, {"notes": notes})
                text = said.content[0].text
                print(tool, notes, "is", "refused" if said.is_error else text)


asyncio.run(main())
PYTHON
seen=$(venv/bin/python ask.py)
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
optional [1042] is refused
optional null is None
optional 1042 is '1042'
plain [1042] is '[1042]'
plain null is 'null'
plain 1042 is '1042'
EXPECTED
