"""Commands that read their arguments themselves: those of other distributions, by their entry
points.

    [project.entry-points."victor_ext.commands"]
    shop = "shop_client.command_line:main"

makes `victor shop ...` call `main(["..."], prog="victor shop")`, which returns the exit status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from victor_ext._output import guarded_output
from victor_ext.systems import entry_points_of

from .failures import Misuse
from .screen import complain
from .wording import SPEC_IS_ELSEWHERE

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FORWARDED = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command whose arguments the `main` of another module reads."""
_GROUP = "victor_ext.commands"
_ELSEWHERE = {"spec": SPEC_IS_ELSEWHERE}
"""Commands that pages name and another distribution has, each with where that is."""


class CommandGroup(TyperGroup):
    """The commands of this package, then those of the entry points. None of these takes the place
    of one of this package. What is installed is read only for the list, and for another name.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        own = super().list_commands(ctx)
        return own + [name for name in entry_points_of(_GROUP) if name not in own]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        point = entry_points_of(_GROUP).get(cmd_name)
        if point is not None:
            return _command_of(point)
        if cmd_name in _ELSEWHERE and not ctx.resilient_parsing:
            raise Misuse(_ELSEWHERE[cmd_name])
        return None


def _command_of(point: EntryPoint) -> Any:
    """Return the command that forwards to an entry point. Its help is what the distribution says of
    itself: nothing of it is loaded.
    """
    metadata = {} if point.dist is None else point.dist.metadata.json
    summary = str(metadata.get("summary", ""))
    forwarding = typer.Typer(add_completion=False, rich_markup_mode=None)

    @forwarding.command(point.name, help=summary, context_settings=FORWARDED, add_help_option=False)
    def forward(context: typer.Context) -> int:
        return _run(point, context.args)

    return get_command(forwarding)


def _run(point: EntryPoint, arguments: list[str]) -> int:
    main = point.load()
    # Whatever the output can take: the exit status says what the command did.
    with guarded_output(insists=False) as stdout:
        status: int = main(arguments, prog=f"victor {point.name}")
        stdout.flush()
        if stdout.lost is not None and not stdout.lost.reader_has_gone:
            complain(f"Error: the output could not be written: {stdout.lost}.")
    return status
