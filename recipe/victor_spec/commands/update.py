"""The command `victor-spec update`: replace a document by a newer one, when that makes a whole
package.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from victor_spec.check import NOTES, losses_of
from victor_spec.decisions import default_path
from victor_spec.destination import build_folder, move_into_place, package_folder, replace_file
from victor_spec.diff.report import as_text
from victor_spec.document import read_document
from victor_spec.exit_status import COMPLETE, INCOMPLETE, MISUSE
from victor_spec.generate import generate, package_name

from . import Decimals, Name, show, show_as_is
from .diff import report_on
from .packages import show_places


def update(
    document: Annotated[Path, typer.Argument(metavar="SPEC", help="The document to replace.")],
    newer: Annotated[Path, typer.Argument(metavar="NEWER", help="The newer document.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The folder of the package.")],
    name: Name = None,
    decimals: Decimals = None,
) -> int:
    """Replace a document by a newer one, with its package, and say what has to be decided."""
    accepted = default_path(document, "accepted")
    earlier = read_document(document)
    later = read_document(newer, overlay=default_path(document, "overlay"))
    package = package_folder(out, name or package_name(document))
    report = report_on(earlier, later, (document.name, newer.name), accepted)
    show_as_is(as_text(report))
    with build_folder(package) as folder:
        made = generate(
            newer,
            folder / "new",
            name=package.name,
            tree=later.tree,
            decimals=decimals or (),
            settings=default_path(document, "settings"),
        )
        losses = [each for each in losses_of(made, accepted).problems if each.kind != "acceptance"]
        if losses:
            show(*(loss.loss for loss in losses), to=sys.stderr)
            show(
                f"Nothing was replaced: the package of {newer.name} would lack what is named "
                f"above. Correct it by {default_path(document, 'overlay').name}, or do without "
                f"it: an entry in {accepted.name} for each.",
                to=sys.stderr,
            )
            return MISUSE
        move_into_place(made.package, package)
        replace_file(document, newer.read_bytes())
    show(f"{newer} -> {document}, {package}", *later.idle)
    show_places("amount-as-float", NOTES["amount-as-float"], made.log.floats, verbose=False)
    lines = report.lines()
    decisions = [line for level in ("breaks", "look") for line in lines[level]]
    if not decisions:
        show("Nothing has to be decided: no change breaks anything, and none needs a look.")
        return COMPLETE
    show(f"{len(decisions)} for a person to decide: what is named above under Breaks and Look.")
    return INCOMPLETE
