"""The year of a team whose provider splits its document: nothing by hand, nothing lost."""

import re
import shutil
import subprocess

import pytest
import yaml

from victor_spec.document import read_values

from .cases import ROOT
from .command import run

pytestmark = pytest.mark.pull_request
GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=no"]
SCHEMAS = "#/components/schemas/"


def split(tree, **changes):
    """The files that `redocly split` makes of a document: one for each path and each schema.

    The texts `changes` take the place of those in the schemas of these names.
    """
    files = {"victor.yaml": {**tree, "paths": {}}}
    files["victor.yaml"].pop("components")
    for path, item in tree["paths"].items():
        name = f"paths/{path.strip('/').replace('/', '_')}.yaml"
        files["victor.yaml"]["paths"][path] = {"$ref": name}
        files[name] = item
    for name, schema in tree["components"]["schemas"].items():
        files[f"components/schemas/{name}.yaml"] = schema
    texts = {}
    for name, value in files.items():
        text = yaml.safe_dump(value, sort_keys=False)
        below = "./" if name.startswith("components/") else "../components/schemas/"
        texts[name] = re.sub(rf"'?{SCHEMAS}(\w+)'?", rf"{below}\1.yaml", text)
    for name, (old, new) in changes.items():
        place = f"components/schemas/{name}.yaml"
        assert old in texts[place]
        texts[place] = texts[place].replace(old, new, 1)
    return texts


class Team:
    """A repository with a document, its package, and what was said last."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self.document = folder / "openapi" / "victor.yaml"
        self.overlay = folder / "openapi" / "victor.overlay.yaml"
        self.newer = folder.parent / "newer" / "victor.yaml"
        self.capsys = capsys
        self.said = ""
        shutil.copytree(ROOT / "openapi", folder / "openapi")
        self.git("init", "-q", "-b", "main")

    def run(self, *arguments):
        """The exit status of a command."""
        self.capsys.readouterr()
        status = run(*arguments)
        printed = self.capsys.readouterr()
        self.said = printed.out + printed.err
        return status

    def check(self):
        return self.run("check", self.document, "--out", self.folder)

    def generate(self):
        return self.run("generate", self.document, "--out", self.folder)

    def diff(self, revision):
        """Compare with a commit."""
        return self.run("diff", f"git:{revision}:openapi/victor.yaml", self.document)

    def receive(self, files):
        """Put the files of a newer document into a folder of their own."""
        shutil.rmtree(self.newer.parent, ignore_errors=True)
        for name, text in files.items():
            (self.newer.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (self.newer.parent / name).write_text(text, encoding="utf-8")

    def update(self):
        return self.run("update", self.document, self.newer, "--out", self.folder)

    def git(self, *arguments):
        subprocess.run([*GIT, *arguments], check=True, cwd=self.folder, capture_output=True)

    def commit(self):
        """Commit everything; return what it has."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "step")
        return self.files()

    def files(self):
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.relative_to(self.folder).parts[0] != ".git"
        }


def without_lines(text, said):
    """A text without the lines that are named to be deleted."""
    lines = text.splitlines(keepends=True)
    for first, last in re.findall(r"delete lines? (\d+)(?: to (\d+))?", said):
        lines[int(first) - 1 : int(last or first)] = [""] * (int(last or first) - int(first) + 1)
    return "".join(lines)


def test_a_split_document_is_corrected_renewed_and_taken_back(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    team = Team(tmp_path / "team", capsys)
    monkeypatch.chdir(team.folder)
    victor = read_values(team.document)
    assert team.generate() == 0
    whole = team.commit()

    # The provider splits the document: nothing differs, and the package stays byte for byte.
    team.receive(split(victor))
    assert team.update() == 0
    assert "No change." in team.said
    assert team.check() == 0
    parts = team.commit()
    assert {name: data for name, data in parts.items() if name.startswith("victor_api/")} == {
        name: data for name, data in whole.items() if name.startswith("victor_api/")
    }
    assert {"openapi/components/schemas/Origin.yaml"} < parts.keys()
    assert team.diff("HEAD~1") == 0
    assert "No change." in team.said

    # A correction of a part in another file, which the provider's team has not written.
    correction = "  # ours\n  - target: $.components.schemas.Origin\n    update: {x-checked: 1}\n"
    amount = (
        "  - target: $.paths['/v2/payment-requests/request-payment'].post\n"
        "    update:\n      deprecated: false\n      x-team: payments\n"
    )
    text = team.overlay.read_text(encoding="utf-8") + correction + amount
    team.overlay.write_text(text, encoding="utf-8")
    assert team.generate() == 0
    assert team.check() == 0
    corrected = team.commit()

    # A newer document: one file of it has another text.
    wider = {"Origin": ("type: object", "type: object\nmaxProperties: 90")}
    team.receive(split(victor, **wider))
    assert team.update() < 2, team.said
    assert "components/schemas/Origin.yaml" in team.said
    assert team.check() == 0
    renewed = team.commit()
    changed = {name for name in renewed if renewed[name] != corrected.get(name)}
    assert "openapi/components/schemas/Origin.yaml" in changed
    assert team.overlay.read_text(encoding="utf-8") == text

    # The provider takes over two corrections, one of them by half.
    lists = victor["components"]["schemas"]["ListPaymentRequests"]
    lists["properties"]["due_date_start_date"] |= {"format": "date", "example": "2021-10-25"}
    lists["properties"]["due_date_end_date"]["format"] = "date"
    team.receive(split(victor, **wider))
    assert team.run("diff", team.document, team.newer) == 0
    assert "No change." in team.said
    assert team.update() == 1
    assert "No change." in team.said
    assert "due_date_start_date): it changes nothing, as the document says so itself" in team.said
    assert "due_date_end_date): the document says `format` itself now: delete it" in team.said
    assert team.overlay.read_text(encoding="utf-8") == text, "it is the reader's"
    decisions = team.said
    assert team.check() == 1
    assert "due_date_start_date): it changes nothing" in team.said
    assert team.generate() == 0
    assert "nothing changed" in team.said
    rest = without_lines(text, decisions)
    assert rest.count("due_date_start_date") == text.count("due_date_start_date") - 1
    assert rest.endswith(correction + amount)
    team.overlay.write_text(rest, encoding="utf-8")
    assert team.check() == 0
    taken = team.commit()
    assert team.diff("HEAD~1") == 0
    assert "No change." in team.said

    # Back by git, and forth.
    for revision, files in (("main~1", renewed), ("main~4", whole), ("main", taken)):
        team.git("checkout", "-q", "--detach", revision)
        assert team.files() == files
        assert team.check() == 0
