"""The server machinery of every sandbox: it knows no provider. See "A sandbox for another provider" in docs/sandbox.md.

A provider brings a `StandIn`, and gets a real server with faults on the wire, a record of calls, two clocks, control
commands in Python and over HTTP, and a process of its own.
"""

from __future__ import annotations

from victor_ext.sandbox.serving.answer import Answer, empty_answer, error_answer, json_answer
from victor_ext.sandbox.serving.call import Call
from victor_ext.sandbox.serving.commands import ServerCommands
from victor_ext.sandbox.serving.keys import BodyKey, HeaderKey
from victor_ext.sandbox.serving.paths import Operation
from victor_ext.sandbox.serving.received import Received
from victor_ext.sandbox.serving.remote import ServerOverHttp
from victor_ext.sandbox.serving.routes import Command, NotThere
from victor_ext.sandbox.serving.run import serve
from victor_ext.sandbox.serving.settings import ServerSettings, option
from victor_ext.sandbox.serving.stage import Stage
from victor_ext.sandbox.serving.standin import StandIn
from victor_ext.sandbox.serving.thread import ServerInThread
from victor_ext.sandbox.serving.tokens import TokenBook

__all__ = (
    "Answer",
    "BodyKey",
    "Call",
    "Command",
    "HeaderKey",
    "NotThere",
    "Operation",
    "Received",
    "ServerCommands",
    "ServerInThread",
    "ServerOverHttp",
    "ServerSettings",
    "Stage",
    "StandIn",
    "TokenBook",
    "empty_answer",
    "error_answer",
    "json_answer",
    "option",
    "serve",
)
