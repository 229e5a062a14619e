"""A generated package as tools see it: its types and those of calls."""

import subprocess
import sys

import pytest

from victor_spec.generate import generate

from . import test_answers, test_bodies, test_parameters, test_webhooks
from .wire import TEXT, Wire, an_object, answering, listed, ref

pytestmark = pytest.mark.pull_request
CALLS = """
from typing import Any, assert_type
from wire_types import Client, DEFAULT_BASE_URL, read_webhook, required
from wire_types.api.default import comma_list, octets, open_union, pdf, same, unions
from wire_types.models import Cat, Dog, Litter, Note, PaymentPaidWebhook
from wire_types.types import UnknownVariant, Unset

client = Client(base_url=DEFAULT_BASE_URL)
same.sync_detailed(client=client, body=Note(text="a"), content_type="multipart/form-data")
octets.sync_detailed(client=client, body=b"")
comma_list.sync_detailed(client=client, x=["a"])
found = pdf.sync(client=client)
content: bytes = b"" if found is None or isinstance(found.payload, bytes) else found.payload.read()
animal: Cat | Dog | None = unions.sync(client=client)
cats: list[Cat] = Litter(cats=[Cat(lives=9)]).cats
paid = read_webhook(b"", {}, name="payment.paid", verify=lambda headers, body: headers["a"])
assert_type(paid, PaymentPaidWebhook)
if not isinstance(posted := read_webhook(b"", [(b"a", b"b")]), list):
    assert_type(required(required(posted.payment, name="payment").id, name="id"), str)
lives: int = required(Cat(lives=9), "lives")
owned = open_union.sync(client=client)
if owned is not None and not isinstance(owned.pets, Unset):
    assert_type(owned.pets, list[Cat | Dog | UnknownVariant])
if owned is not None:
    assert_type(required(owned.owner, name="owner"), Cat | Dog | UnknownVariant)
    assert_type(required(owned.pets, name="pets"), list[Cat | Dog | UnknownVariant])
    assert_type(required(owned.tag, name="tag"), str | int)
    note: Any = required(owned.anything, name="anything")
"""
WRONG = """
from wire_types import Client
from wire_types.api.default import comma_list, same
from wire_types.models import Litter, Note

client = Client(base_url="")
same.sync_detailed(client=client, body=Note(), content_type="text/html")
comma_list.sync_detailed(client=client, x="a,b")
Litter(cats=None)
"""
CAT = an_object(lives={"type": "integer"})
NAMES = ("additionalProperties", "to_dict", "from_dict", "list", "datetime", "self", "cls", "TABLE")
DOG = an_object(
    ("cats",), cats={"type": "array", "items": ref("Cat")}, **dict.fromkeys(NAMES, TEXT)
)
PET = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}
OWNED = an_object(
    pets=listed(PET), owner=PET, tag={"type": ["string", "integer", "null"]}, anything={}
)
LITTER = {**DOG}  # in no answer: its list is required


@pytest.fixture(scope="module")
def folder(tmp_path_factory, zoo_yaml):
    """A folder with the package of the zoo, one of what the other tests call, and one without a
    model.
    """
    folder = tmp_path_factory.mktemp("types")
    Wire(
        folder,
        "wire_types",
        lossy=True,
        servers=[{"url": "https://pay.example"}],
        components={
            "schemas": {
                **test_bodies.SCHEMAS,
                **test_webhooks.SCHEMAS,
                "Cat": CAT,
                "Dog": DOG,
                "Litter": LITTER,
            }
        },
        webhooks=test_webhooks.HOOKS,
        paths={
            **test_bodies.PATHS,
            **test_parameters.PATHS,
            "/pdf": test_answers.PATHS["/pdf"],
            "/open": {"get": answering(OWNED, operationId="open_union")},
            "/unions": {
                "get": answering({"oneOf": [ref("Cat"), ref("Dog")]}, operationId="unions")
            },
        },
    )
    Wire(folder, "wire_bare", paths={"/any": {"get": answering({}, operationId="any")}})
    generate(zoo_yaml, folder)
    return folder


def test_mypy_accepts_generated_packages_and_right_calls_and_finds_each_wrong_call(
    folder,
):
    """One run of mypy for all: it reads the packages once."""
    (folder / "calls.py").write_text(CALLS)
    (folder / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="]
    command += ["zoo_api", "wire_types", "wire_bare", "calls.py", "wrong.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    *lines, summary = (done.stdout + done.stderr).splitlines()
    assert [line.split(":")[:2] for line in lines if "error" in line] == [
        ["wrong.py", line] for line in "789"
    ], lines
    assert summary.startswith("Found 3 errors in 1 file")
