"""The server machinery of every sandbox: it knows no provider. See "A sandbox for another provider" in docs/sandbox.md.

A provider brings a `StandIn`, and gets a real server with faults on the wire, a record of calls, two clocks, control
commands in Python and over HTTP, and a process of its own.
"""

from __future__ import annotations

from victor_ext.sandbox.server.answer import Answer, empty_answer, error_answer, json_answer
from victor_ext.sandbox.server.call import Call
from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.server.keys import BodyKey, HeaderKey
from victor_ext.sandbox.server.paths import Operation
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.server.remote import ServerOverHttp
from victor_ext.sandbox.server.routes import Command, NotThere
from victor_ext.sandbox.server.run import serve
from victor_ext.sandbox.server.settings import ServerSettings, option
from victor_ext.sandbox.server.stage import SandboxContext
from victor_ext.sandbox.server.standin import StandIn
from victor_ext.sandbox.server.thread import ServerInThread
from victor_ext.sandbox.server.tokens import TokenBook

__all__ = (
    "Answer",
    "BodyKey",
    "Call",
    "Command",
    "HeaderKey",
    "NotThere",
    "Operation",
    "Received",
    "SandboxContext",
    "ServerCommands",
    "ServerInThread",
    "ServerOverHttp",
    "ServerSettings",
    "StandIn",
    "TokenBook",
    "empty_answer",
    "error_answer",
    "json_answer",
    "option",
    "serve",
)
