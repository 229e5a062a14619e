"""Write docs/llms.txt, an index of the pages for language models: `python docs/llms.py`, or
`make docs`.

It is made of the menu in mkdocs.yml, and of each page's title and first sentence
(https://llmstxt.org). The links are those of the site, at whose root it stands.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

DOCS = Path(__file__).parent
INDEX = DOCS / "llms.txt"
NO_PROSE = ("<!--", "|", "![", "#", "- ", "1. ")


def main() -> None:
    """Write the index."""
    INDEX.write_text(index(), encoding="utf-8")


def index() -> str:
    """The index as it should be now."""
    site = yaml.safe_load((DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"))
    parts = [f"# {site['site_name']}", f"> {site['site_description']}."]
    for section in site["nav"][1:]:
        for name, pages in section.items():
            parts += [f"## {name}", "\n".join(map(_entry, pages))]
    return "\n\n".join(parts) + "\n"


def _entry(page: str) -> str:
    title, about = title_and_sentence(page)
    return f"- [{title}]({page.removesuffix('.md').removesuffix('/index')}/): {about}"


def title_and_sentence(page: str) -> tuple[str, str]:
    """The heading of a page, and the first sentence of its text; of a page made from docstrings,
    what is documented.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    text = re.sub(r"\A---\n.*?^---$|^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    heading, *paragraphs = re.split(r"\n\s*\n", text.strip())
    title = heading.removeprefix("# ").replace("`", "")
    if documented := re.findall(
        r'^::: (\S+)(?:\n    options: \{ heading: "(.+?)")?', text, re.MULTILINE
    ):
        return (
            title,
            f"reference of {', '.join(f'`{heading or path}`' for path, heading in documented)}.",
        )
    prose = next(
        each.strip()
        for each in paragraphs
        if each.strip() and not each.strip().startswith(NO_PROSE)
    )
    return title, _first_sentence(prose)


def _first_sentence(prose: str) -> str:
    """Without links and bold type. A colon before a list or a block ends it, too."""
    plain = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", " ".join(prose.split())).replace("**", "")
    return re.split(r"(?<=[.!?]) ", plain)[0].removesuffix(":").removesuffix(".") + "."


if __name__ == "__main__":
    main()
