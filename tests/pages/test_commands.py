"""A block of commands does in zsh, the shell of macOS, what it does in bash.

A comment behind a command is an argument there: a block holds commands alone, and words stand above
it.
"""

import re
import shutil
import subprocess

import pytest
from sybil import Document
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from tests.pages.page import PAGES, name_of

COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
SET_BY_ZSH = re.compile(
    r"\b(?:argv|status|pipestatus|signals|(?:cd|f|mail|man|module_)?path)(?:=|\s+in\b)"
)
RECORD = "printf '%s|' \"$@\" >> commands; echo >> commands"
OF_THE_SHELL = ("SHLVL", "_", "PWD", "OLDPWD", "LOGNAME", "HOME", "PATH")


def blocks():
    """The commands of each block, by its page and line."""
    lexer = FencedCodeBlockLexer("sh|console")
    commands = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for region in lexer(Document(text, str(page))):
            source = region.lexemes["source"]
            if region.lexemes["language"] == "console":
                typed = re.findall(r"^\$ ((?:.*\\\n)*.*\n)", source, re.MULTILINE)
                source = "".join(typed)
            line = text.count("\n", 0, region.start) + 1
            commands[f"{name_of(page)}:{line}"] = source
    return commands


BLOCKS = blocks()
each_block = pytest.mark.parametrize("block", BLOCKS)


@each_block
def test_a_block_holds_commands_alone(block):
    assert COMMENT.findall(BLOCKS[block]) == [], "write the words above the block"


@each_block
def test_a_block_sets_nothing_that_zsh_sets_itself(block):
    assert SET_BY_ZSH.findall(BLOCKS[block]) == []


def run(shell, commands, folder):
    """What a shell does with commands that are typed: each command with its arguments, the
    variables that it leaves, and its errors. No command is there: each is recorded.
    """
    folder.mkdir()
    for name in re.findall(r"[\w-]+/bin/\w+", commands):
        stub = folder / name
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f'#!/bin/sh\nset -- {name} "$@"\n{RECORD}\n')
        stub.chmod(0o700)
    (folder / "wheels").mkdir()
    (folder / "wheels" / "a.whl").touch()
    (folder / "sandbox.env").write_text("OF_THE_SANDBOX=1\n")
    handler = {"bash": "command_not_found_handle", "zsh": "command_not_found_handler"}[shell]
    typed = {"bash": ["--norc", "-s"], "zsh": ["-f", "-i", "-s"]}[shell]
    begin = f"PS1=; PS2=; {handler}() {{ {RECORD}; }}\n"
    ran = subprocess.run(
        [shutil.which(shell) or shell, *typed],
        input=f"{begin}{commands}\n/usr/bin/env > variables\n",
        cwd=folder,
        env={"PATH": "/none", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )
    recorded, variables = folder / "commands", folder / "variables"
    assert variables.exists(), ran.stderr
    kept = [
        line
        for line in variables.read_text().splitlines()
        if line.partition("=")[0] not in OF_THE_SHELL
    ]
    lines = recorded.read_text().splitlines() if recorded.exists() else []
    return sorted(lines), sorted(kept), ran.stderr


@pytest.mark.pull_request
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@each_block
def test_a_block_does_the_same_in_zsh(block, tmp_path):
    *expected, _ = run("bash", BLOCKS[block], tmp_path / "bash")
    *done, errors = run("zsh", BLOCKS[block], tmp_path / "zsh")
    assert done == expected
    wrong = [line for line in errors.splitlines() if re.search(r"read-only|no match|parse", line)]
    assert wrong == []
