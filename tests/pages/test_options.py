"""A page names the options that the command has."""

import re
from pathlib import Path

from typer.main import get_command

from victor_ext.cli._app import app

DOCS = Path(__file__).parents[2] / "docs"
LINE = re.compile(r"\bvictor ((?!sandbox)[^`|;&\n]*)")


def test_each_option_on_a_page_is_one_of_its_command():
    root = get_command(app)
    for page in DOCS.glob("*.md"):
        for line in LINE.findall(page.read_text("utf-8").replace("\\\n", " ")):
            command, known = root, {"--help", "--json"}
            for word in line.split():
                command = getattr(command, "commands", {}).get(word, command)
                known.update(*(option.opts for option in command.params))
            named = set(re.findall(r"(?<!\S)--[a-z-]+", line))
            assert named <= known, (page.name, line)
