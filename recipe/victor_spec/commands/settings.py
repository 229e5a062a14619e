"""The commands `victor-spec settings` and `settings-schema`, for who writes settings."""

import json
from pathlib import Path
from typing import Annotated

import typer

from victor_spec.decisions import DecisionError, default_path
from victor_spec.destination import replace_file
from victor_spec.diff.report import number
from victor_spec.document import MAX_MIB
from victor_spec.exit_status import COMPLETE
from victor_spec.generate import typed_of
from victor_spec.typed.settings import Settings
from victor_spec.typed.starting import as_yaml

from . import Copies, MaxMib, read_saying, reading, show, show_as_is
from .packages import show_note


def settings(
    document: Annotated[Path, typer.Argument(metavar="SPEC", help="An OpenAPI 3 document.")],
    *,
    copies: Copies = None,
    max_mib: MaxMib = MAX_MIB,
) -> int:
    """Write <document>.settings.yaml, to start from: a record for each answer, the arguments of
    each list.
    """
    file = default_path(document, "settings")
    if file.exists():
        raise DecisionError(f"{file} is there: edit it, or remove it first.")
    typed = typed_of(document, read_saying(document, reading(copies, max_mib)).tree)
    replace_file(file, as_yaml(typed.settings, typed.records, document.name).encode())
    made = f"{number(len(typed.records), 'record')} and {number(len(typed.lists), 'list')}"
    show(f"{document.name} -> {file}: {made}. Decide in it, and run victor-spec generate.")
    show_note("no-list", typed.without_list, verbose=True)
    if not typed.lists and not typed.without_list:
        show("No list: no GET with parameters answers with a list, or with an object that has one.")
    return COMPLETE


def settings_schema() -> int:
    """Show the JSON Schema of <document>.settings.yaml, for an editor."""
    show_as_is(json.dumps(Settings.model_json_schema(), indent=2) + "\n")
    return COMPLETE
