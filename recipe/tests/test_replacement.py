"""Files that are replaced together: all of them, or none, also after `kill -9` at any moment."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_spec.generate import generate
from victor_spec.replacement import journal_of, recover, replace_together

from .command import run

pytestmark = pytest.mark.slow
NAMES = ("api.yaml", "card.yaml", "schemas/card.yaml", "schemas/all/owner.json")
HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\n"


@pytest.fixture(scope="module")
def was_killed():
    """What plays tasks in processes that are killed; it says of each whether that happened."""
    command = [sys.executable, "-m", "tests.killed"]
    recipe = Path(__file__).parents[1]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=recipe,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(recipe), *sys.path])},
    ) as process:

        def play(**task):
            process.stdin.write(json.dumps(task, default=str) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield play
        process.stdin.close()


def tree_of(folder):
    """What stands in each file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def written(folder, files):
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


TREES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a\n", "b\n"]), min_size=1)


@settings(max_examples=20)
@given(TREES.map(lambda tree: {"api.yaml": "a\n", **tree}), TREES)
def test_a_kill_at_any_moment_leaves_all_files_old_or_new(was_killed, earlier, later):
    moment = 0
    with tempfile.TemporaryDirectory() as made:
        while True:
            folder = Path(made) / str(moment)
            written(folder / "api", earlier)
            written(folder / "out" / "api_api", {"old.py": "1\n"})
            written(folder / "out" / ".built" / "api_api", {"new.py": "2\n"})
            written(folder, {"CHANGELOG.md": "# Old\n"})
            before = tree_of(folder)
            after = {name: text for name, text in before.items() if not name.startswith("out/")}
            after |= {f"api/{name}": text for name, text in later.items()}
            after |= {"out/api_api/new.py": "2\n", "CHANGELOG.md": "# New\n"}
            document = folder / "api" / "api.yaml"
            is_killed = was_killed(
                moment=moment,
                journal=journal_of(document),
                document=document,
                files=later,
                package=[folder / "out" / ".built" / "api_api", folder / "out" / "api_api"],
            )
            words = recover(document)
            left = tree_of(folder)
            left.pop("out/.built/api_api/new.py", None)  # that of the builder
            before.pop("out/.built/api_api/new.py")
            assert left in (before, after), (moment, words)
            assert ("finished" in words) == (left == after and bool(words)) or before == after
            assert recover(document) == ""
            if not is_killed:
                assert left == after
                assert moment > 10
                return
            moment += 1


@pytest.mark.pull_request
def test_the_next_command_finishes_what_a_killed_update_has_begun_or_takes_it_back(
    was_killed, tmp_path, capsys
):
    """Of an update of a document in two files, which becomes one of three. Each command is the next
    one of a fourth of the moments.
    """
    root = f"{HEAD}components: {{schemas: {{A: {{$ref: a.yaml}}, B: {{$ref: %s}}}}}}\n"
    earlier = {"api.yaml": root % "a.yaml", "a.yaml": "{type: object, properties: {a: {}}}\n"}
    later = {"api.yaml": root % "b/b.yaml", "a.yaml": "{type: object, properties: {c: {}}}\n"}
    later["b/b.yaml"] = "{type: object, properties: {b: {}}}\n"
    start = tmp_path / "start"
    written(start / "api", earlier)
    written(start / "new", later)
    generate(start / "api" / "api.yaml", start / "out")
    seen = set()
    moment = 0
    is_killed = True
    while is_killed:
        folder = shutil.copytree(start, tmp_path / str(moment))
        document, newer = folder / "api" / "api.yaml", folder / "new" / "api.yaml"
        out = ["--out", str(folder / "out")]
        update = ["update", str(document), str(newer), *out]
        update += ["--changelog", str(folder / "CHANGELOG.md")]
        is_killed = was_killed(moment=moment, journal=journal_of(document), command=update)
        capsys.readouterr()
        commands = [["check", document, *out], ["generate", document, *out]]
        commands += [["diff", document, newer, "--no-python"], update]
        command = commands[moment % len(commands)]
        assert run(*command) < 2
        said = capsys.readouterr().err
        files = tree_of(folder / "api")
        assert files in (earlier, later), moment
        assert files == later or command != update
        assert run("check", document, *out) == 0, moment
        assert (folder / "CHANGELOG.md").exists() == (files == later)
        assert {path.parent for path in folder.rglob(".*")} <= {folder / "out"}
        seen.add((command[0], "it is finished" in said))
        moment += 1
    assert seen >= {(command, True) for command in ("check", "generate", "diff", "update")}
    assert moment > 10


OLD, NEW = f"{HEAD}# old\n", f"{HEAD}# new\n"


def journal(document, **changes):
    """The journal of an update that was killed when all was prepared: of two files from "old" to
    "new".
    """
    texts = [
        {"name": name, "before": hashlib.sha256(OLD.encode()).hexdigest(), "text": NEW}
        for name in ("api.yaml", "card.yaml")
    ]
    plan = {"update_id": "0123abcd", "others": [], "texts": texts, **changes}
    journal_of(document).write_text(json.dumps(plan) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("root", "part", "status", "says"),
    [
        (OLD, OLD, 0, "an update was interrupted: nothing was replaced."),  # as git restores them
        (NEW, OLD, 0, "an update was interrupted: it is finished now."),
        (OLD, NEW, 0, "an update was interrupted: it is finished now."),
        (NEW, NEW, 0, "an update was interrupted: it is finished now."),
        (NEW, "mine\n", 2, "card.yaml was changed after an update of api.yaml was interrupted:"),
    ],
)
def test_the_files_themselves_say_whether_an_update_is_finished_or_taken_back(
    root, part, status, says, tmp_path, capsys
):
    """What a person has changed after the kill is left alone."""
    document = written(tmp_path, {"api.yaml": root, "card.yaml": part}) / "api.yaml"
    journal(document)
    before = tree_of(tmp_path)
    assert run("check", document) == status
    assert says in capsys.readouterr().err
    if not status:
        before = dict.fromkeys(("api.yaml", "card.yaml"), NEW if "finished" in says else OLD)
    assert tree_of(tmp_path) == before


def test_what_cannot_be_written_leaves_everything_as_it_was(tmp_path, monkeypatch):
    document = written(tmp_path, {"api.yaml": HEAD, "schemas": "a file\n"}) / "api.yaml"
    before = tree_of(tmp_path)
    files = {"api.yaml": b"x", "new/card.yaml": b"x", "schemas/card.yaml": b"x"}
    with pytest.raises(OSError, match="schemas"):
        replace_together(document, files)
    assert tree_of(tmp_path) == before
    assert not (tmp_path / "new").exists()
