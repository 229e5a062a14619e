"""The pages, what each is given, and how a block of each language is run."""

import doctest
import json
import re
import tomllib
from pathlib import Path

import yaml
from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTest, DocTestRunner
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(
            ROOT / name
            for name in (
                "README.md",
                "CONTRIBUTING.md",
                "SECURITY.md",
                "openapi/README.md",
                "recipe/README.md",
            )
        ),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("recipe/docs/*.md"),
        *ROOT.glob("examples/**/README.md"),
    ]
)
READ_ONLY = ("text", "mermaid")
"""Blocks without anything to run: output of other commands, and pictures."""


def name_of(page: Path):
    """How a page is called here, such as docs/python.md."""
    return str(page.relative_to(ROOT))


def parsed(page: Path, runners) -> Document:
    """A page as sybil sees it: one example for each block, and for each directive."""
    known = {**dict.fromkeys(READ_ONLY, read_only), **PARSED, "http": not_run, **runners}
    return Document.parse(
        str(page),
        SkipParser(),
        given_parser(runners.get("given", read_only)),
        *(CodeBlockParser(*each) for each in known.items()),
    )


def given_parser(run):
    """`<!-- given: victor, invoice -->`: these names mean what they meant at first, from here
    on.
    """

    def parse(document: Document):
        for match in re.finditer(r"<!-- given: (.+?) -->", document.text, re.DOTALL):
            yield Region(match.start(), match.end(), re.split(r",\s*", match[1]), run)

    return parse


def languages(page: Path):
    """The language of each visible block."""
    document = Document(page.read_text(encoding="utf-8"), str(page))
    return [region.lexemes["language"] for region in FencedCodeBlockLexer(r".*")(document)]


def read_only(example: Example):
    """Nothing to run."""


def not_run(example: Example):
    """A block that needs a reason."""
    raise AssertionError('nothing runs this: say why before it, `<!-- skip: next "reason" -->`')


def run_console(example: Example):
    """A session with Python: what it shows is what it prints."""
    shown = []
    examples = doctest.DocTestParser().get_examples(example.parsed)
    case = DocTest(examples, example.namespace, example.path, None, example.line, None)
    DocTestRunner(doctest.ELLIPSIS).run(case, clear_globs=False, out=shown.append)
    assert not shown, "".join(shown)


def parses(read):
    """A block of data is read, and nothing more."""

    def run(example: Example):
        read(str(example.parsed))

    return run


PARSED = {
    "json": parses(json.loads),
    "toml": parses(tomllib.loads),
    "yaml": parses(lambda text: list(yaml.safe_load_all(text))),
    "pycon": run_console,
}
