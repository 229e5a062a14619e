"""Make the pictures of the pages from what the commands really print:
`python docs/pictures/record.py`.

A picture is an SVG with the colours of a dark terminal, and of a light one where light pages are
preferred; it loads nothing.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.payments import invoice
from victor_ext import Victor, VictorOAuth, idempotency_key_for
from victor_ext.cli import main as victor
from victor_ext.sandbox import Sandbox, SandboxSettings

PICTURES = Path(__file__).parent
EXAMPLES = PICTURES.parents[1] / "examples"
SESSION_WIDTH = 100
LOST_ANSWER_WIDTH = 80
BAR = re.compile(r"\x1b\[\?25l.*\x1b\[2K(.*?)\x1b\[\?25h", re.DOTALL)
"""A progress bar between hiding the cursor and showing it. Its last state stays on the terminal."""
ERASED_LINE = re.compile(r"[^\n]*\n\r?\x1b\[1A\x1b\[2K")
"""A line that is erased after the cursor went back to it."""
DARK = TerminalTheme(
    background=(41, 41, 41),
    foreground=(197, 200, 198),
    normal=[
        (75, 78, 85),
        (204, 85, 90),
        (152, 168, 75),
        (208, 179, 68),
        (96, 138, 177),
        (152, 114, 159),
        (104, 160, 179),
        (255, 255, 255),
    ],
)
LIGHT = TerminalTheme(
    background=(246, 248, 250),
    foreground=(31, 41, 51),
    normal=[
        (31, 41, 51),
        (176, 32, 32),
        (22, 110, 52),
        (138, 90, 0),
        (29, 95, 191),
        (126, 58, 158),
        (0, 104, 128),
        (255, 255, 255),
    ],
)
BAR_TO_DO = ("#3a3a3a", "#c3cad2")
"""The rest of a progress bar, which has one colour in all themes; and in a light terminal."""


def rfp_list() -> str:
    """A list of three requests: one paid, one declined, one just asked for."""
    with _shell() as (run, sandbox, auth), Victor(auth, base_url=sandbox.url) as client:
        for number, payer, amount in (
            (1042, "northClinic", "44.23"),
            (1043, "lakesideRent", "12.00"),
        ):
            _ask(client, number, payer, amount)
        sandbox.advance(3600)
        _ask(client, 1044, "northClinic", "1250.00")
        return run("rfp list --direction outbound")


def bulk_send() -> str:
    """A file with a wrong row: refused, sent without it, and looked at again when the payers have
    answered.
    """
    with _shell() as (run, sandbox, _):
        sent = run("bulk send invoices.csv") + run("bulk send invoices.csv --skip-invalid")
        sandbox.advance(3600)
        return sent + run("bulk status --refresh")


def bulk_resume() -> str:
    """The last five answers of a file of twelve rows are lost; nobody is asked twice."""
    with _shell() as (run, sandbox, _):
        file = Path("invoices.csv")
        *rows, _wrong = sorted(
            file.read_text("utf-8").splitlines(), key=lambda row: "12.345" in row
        )
        file.write_text("\n".join(rows), "utf-8")
        sandbox.inject("lose_answer", operation="create", skip=len(rows[1:]) - 5, times=1000)
        sent = run("bulk send invoices.csv --deadline 2 --patience 2")
        sandbox.clear_faults()
        assert len(sandbox.work_done_by_key()) == len(rows[1:])
        return sent + run("bulk resume")


def reconcile_report() -> str:
    """A book with one payment that was asked twice, one with another amount, and one that was not
    asked.
    """
    with _shell() as (run, sandbox, auth), Victor(auth, base_url=sandbox.url) as client:
        for number, payer, amount in (
            (1042, "northClinic", "44.23"),
            (1043, "lakesideRent", "12.00"),
            (1044, "acmeSupplies", "1250.00"),
            (1045, "mapleBakery", "87.00"),
        ):
            _ask(client, number, payer, amount)
        _ask(client, 1042, "northClinic", "44.23", key="of another program, for invoice 1042")
        sandbox.advance(3600)
        Path("book.csv").write_text(
            "reference,amount\n"
            "INV-1042,44.23\nINV-1043,12.00\nINV-1044,1205.00\nINV-1045,87.00\nINV-1046,310.00\n",
            "utf-8",
        )
        return run("reconcile book.csv --start yesterday --end tomorrow")


def lost_answer() -> str:
    """A payment whose first answer is lost, as `examples/lost_answer.py` prints it; coloured
    here.
    """
    ran = subprocess.run(  # noqa: S603 - a program of this repository, with no arguments
        [sys.executable, EXAMPLES / "lost_answer.py"], capture_output=True, text=True, check=True
    )
    printed = ran.stdout
    styles = {
        "no answer": "31;1",
        "status 200|completed": "32;1",
        "It may.*": "36",
        ".*record.*": "1",
    }
    for pattern, style in styles.items():
        printed = re.sub(pattern, f"\x1b[{style}m\\g<0>\x1b[0m", printed)
    return f"\x1b[1m$ python examples/lost_answer.py\x1b[0m\n{printed}"


@contextmanager
def _shell() -> Iterator[tuple[Callable[[str], str], Sandbox, VictorOAuth]]:
    """What runs `victor` as at a terminal with colours, in a folder with the example's invoices,
    and its sandbox.
    """
    with Sandbox(SandboxSettings(auto=None)) as sandbox, tempfile.TemporaryDirectory() as folder:
        shutil.copy(EXAMPLES / "invoices.csv", folder)
        for payer in re.findall(
            r"^\d+,\d+,(\w+)", (EXAMPLES / "invoices.csv").read_text("utf-8"), re.MULTILINE
        ):
            sandbox.add_counterparty(
                payer, behaviour="decline" if payer == "lakesideRent" else "accept"
            )
        client_id, client_secret = sandbox.add_oauth_client()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TERM": "xterm-256color",
            "FORCE_COLOR": "1",
            "COLUMNS": str(SESSION_WIDTH),
            "VICTOR_BASE_URL": sandbox.url,
            "VICTOR_CLIENT_ID": client_id,
            "VICTOR_CLIENT_SECRET": client_secret,
            "VICTOR_BULK_KEY": "not-a-secret-of-16",
        }
        with chdir(folder), mock.patch.dict(os.environ, environment, clear=True):
            yield _run, sandbox, VictorOAuth(client_id, client_secret)


class _Terminal(io.StringIO):
    """A list fits a terminal; elsewhere it is as wide as its contents."""

    def isatty(self) -> bool:
        return True


def _run(command: str) -> str:
    """A command after its prompt, and what it prints."""
    printed = _Terminal()
    with redirect_stdout(printed), redirect_stderr(printed), suppress(SystemExit):
        victor(command.split())
    text = ERASED_LINE.sub("", BAR.sub(r"\1", printed.getvalue()))
    return f"\x1b[1m$ victor {command}\x1b[0m\n{text}\n"


def _ask(client: Victor, number: int, payer: str, amount: str, *, key: str | None = None) -> None:
    own = {
        "payer_counterparty_id": payer,
        "amount": amount,
        "idempotency_key": idempotency_key_for("invoice", key or number),
    }
    client.payment_requests.create(**invoice(number, **own))


def as_svg(text: str, title: str, width: int) -> str:
    """A terminal with this text, which may have escape sequences of colours."""
    dark, light = (_exported(text, title, width, theme) for theme in (DARK, LIGHT))
    return dark.replace("</style>", f"{_light_rules(dark, light)}\n    </style>", 1)


def _exported(text: str, title: str, width: int, theme: TerminalTheme) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    svg = console.export_svg(
        title=title,
        theme=theme,
        unique_id="report",
        code_format=_without_fonts(CONSOLE_SVG_FORMAT),
    )
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _light_rules(dark: str, light: str) -> str:
    """The rules of style that make the dark picture the light one."""
    classes, same = (re.findall(r'class="report-r\d+"', svg) for svg in (dark, light))
    assert classes == same, "two styles look alike in one of the themes"
    rules = re.findall(r"^ *(\.report-r\d+ \{.*\})$", light, re.MULTILINE)
    colours = [re.findall(r'fill="(#\w{6})"', svg) for svg in (dark, light)]
    for of_dark, of_light in dict(zip(*colours, strict=True)).items():
        if of_dark != of_light:
            rules.append(f'[fill="{of_dark}"] {{ fill: {of_light} }}')
    text = "\n".join(f"      {rule}" for rule in rules).replace(*BAR_TO_DO)
    return f"  @media (prefers-color-scheme: light) {{\n{text}\n    }}"


def _without_fonts(template: str) -> str:
    """The template without the fonts that it would load from elsewhere."""
    return re.sub(r"@font-face \{\{.*?\}\}", "", template, flags=re.DOTALL).replace(
        "Fira Code, monospace", "monospace"
    )


class Picture(NamedTuple):
    """One picture of a terminal."""

    printed: Callable[[], str]
    title: str
    width: int
    """In characters."""


RECORDED = {
    "rfp-list": Picture(rfp_list, "victor", SESSION_WIDTH),
    "bulk-send": Picture(bulk_send, "victor", SESSION_WIDTH),
    "bulk-resume": Picture(bulk_resume, "victor", SESSION_WIDTH),
    "reconcile": Picture(reconcile_report, "victor", SESSION_WIDTH),
    "lost-answer": Picture(lost_answer, "a payment whose first answer is lost", LOST_ANSWER_WIDTH),
}
"""By the names of their files."""


def main() -> None:
    """Write every picture."""
    for name, picture in RECORDED.items():
        text = picture.printed().rstrip() + "\n"
        svg = as_svg(text, picture.title, picture.width)
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
