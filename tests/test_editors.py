"""What an editor shows and offers: the answers of pyright's language server, as Pylance and others
show them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.pull_request
ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
from victor_ext import AsyncVictor, Victor
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.outbox.django import DjangoOutbox


def program(
    victor: Victor,
    later: AsyncVictor,
    box: Outbox,
    async_box: AsyncOutbox,
    django_box: DjangoOutbox,
) -> None:
    pass
"""
OPERATIONS = {"accept", "create", "decline", "find", "get", "list", "wait", "watch"}
CLIENT = {
    "api",
    "ask_time",
    "authorization",
    "base_url",
    "bind",
    "caller",
    "close",
    "deadline",
    "environment",
    "from_env",
    "operation_names",
    "statuses",
    "from_profile",
    "http",
    "is_awaited",
    "listener_failures",
    "look_up",
    "look_up_all",
    "payment_requests",
    "ping",
    "prepare",
    "provider",
    "provider_time",
    "proxy",
    "read_state",
    "reads",
    "send",
    "send_before",
    "shares_look_ups",
    "ssl_context",
    "system",
    "with_options",
}


class Editor:
    """One file, open in an editor."""

    def __init__(self, server, folder):
        self._input = server.stdin
        self._output = server.stdout
        self._uri = (folder / "program.py").as_uri()
        capabilities = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        folders = [{"uri": folder.as_uri(), "name": "service"}]
        self._ask("initialize", processId=None, workspaceFolders=folders, capabilities=capabilities)
        self._send(method="initialized", params={})
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": PROGRAM}
        self._send(method="textDocument/didOpen", params={"textDocument": document})

    def at(self, line, method):
        """What the server says at the end of a line that is typed below the others."""
        text = {"text": f"{PROGRAM}    {line}\n"}
        self._send(
            method="textDocument/didChange",
            params={"textDocument": {"uri": self._uri, "version": 2}, "contentChanges": [text]},
        )
        place = {"line": PROGRAM.count("\n"), "character": 4 + len(line)}
        return self._ask(f"textDocument/{method}", textDocument={"uri": self._uri}, position=place)

    def _send(self, **message):
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._input.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._input.flush()

    def _ask(self, method, **params):
        self._send(id=1, method=method, params=params)
        while True:
            headers = b"".join(iter(self._output.readline, b"\r\n"))
            message = json.loads(
                self._output.read(int(re.findall(rb"Content-Length: (\d+)", headers)[0]))
            )
            if "method" not in message:
                return message["result"]
            if "id" in message:  # it asks for settings
                self._send(
                    id=message["id"], result=[None] * len(message["params"].get("items", []))
                )


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    server = Path(sys.executable).with_name("pyright-langserver")
    (folder / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "venvPath": str(server.parents[2]),
                "venv": server.parents[1].name,
                "extraPaths": [str(ROOT), str(ROOT / "generated")],
            }
        )
    )
    with subprocess.Popen(
        [server, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder
    ) as process:
        yield Editor(process, folder)
        process.kill()


PAYMENT_REQUESTS = (
    "victor.payment_requests.create",
    "victor.payment_requests.list",
    "later.payment_requests.create",
)


@pytest.mark.parametrize("call", [*PAYMENT_REQUESTS, "box.add", "async_box.add", "django_box.add"])
def test_the_arguments_are_shown_with_a_sentence_each(editor, call):
    (shown,) = editor.at(f"{call}(", "signatureHelp")["signatures"]
    names = re.findall(r"(\w+): ", shown["label"])
    assert len(names) >= 11
    for name in names:
        arguments = editor.at(f"{call}({name}=", "signatureHelp")["signatures"][0]["parameters"]
        (said,) = [
            text for each in arguments if (text := each.get("documentation", {}).get("value"))
        ]
        # Of a sentence that has two lines, the server shows the first one.
        assert re.fullmatch(rf"{name}: [A-Z`].*(?:\.|\w|`)", said, re.DOTALL), said


@pytest.mark.parametrize(
    ("method", "has_arguments"),
    [("create", True), ("list", True), ("get", True), ("watch", False)],
)
def test_a_method_is_explained_without_indentation(editor, method, has_arguments):
    shown = editor.at(f"victor.payment_requests.{method}", "hover")["contents"]["value"]
    title = shown.partition("---\n")[2].splitlines()[0]
    args = re.search(r"(?m)^Args:", shown)
    assert re.fullmatch(r"[A-Z].*\.", title)
    assert bool(args) is has_arguments


@pytest.mark.parametrize(
    ("of", "names"),
    [("victor", CLIENT), ("later", {*CLIENT, "aclose"}), ("victor.payment_requests", OPERATIONS)],
)
def test_no_name_of_the_machinery_is_offered(editor, of, names):
    offered = {each["label"] for each in editor.at(f"{of}.", "completion")["items"]}
    assert {name for name in offered if not name.startswith("_")} == names
