"""Every mistake that is planted in a generated package makes the check red, and says where."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from victor_ext.spec.checking.check import inspect
from victor_ext.spec.document import load
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.thorough
SHOP = Path(__file__).with_name("shop.yaml")

TAMPERED = """
import httpx as _httpx
import re as _re
import urllib.parse as _parse
_honest = _get_kwargs
_builder = _httpx.Client(base_url="https://api.example/v1", verify=False)  # it sends nothing, and reads no certificates

def _swapped(kwargs):
    one, other = (_parse.quote(kwargs[name], safe="") for name in ("order_id", "item_name"))
    return "orders/" + other + "/items/" + one

def _get_kwargs(*args, **kwargs):
    made = _honest(*args, **kwargs)
    cookies = made.pop("cookies", {{}})
    request = _builder.build_request(**made)
    url, content = str(request.url), request.read()
    headers = {{name: value for name, value in request.headers.items() if name not in ("host", "content-length")}}
    if cookies:
        headers["Cookie"] = "; ".join(f"{{name}}={{value}}" for name, value in cookies.items())
    {change}
    return {{"method": request.method, "url": url, "headers": headers, "content": content}}
"""
"""Appended to the module of an operation: `change` is a statement that changes what is sent."""

PARSED = """
_read = _parse_response

def _parse_response(*, client, response):
    {change}
    return _read(client=client, response=response)
"""

UNDECLARED = "which the document does not declare"
NOT_JSON = "no type of the argument body is sent as application/json"
REQUESTS = {
    "find": {
        "a list joined": ('url = url.replace("&tags=text1", "")', "query:tags: it is sent as .* instead of"),
        "a list turned": (
            r'url = _re.sub("tags=([^&]*)&tags=([^&]*)", r"tags=\2&tags=\1", url)',
            "query:tags: it is sent",
        ),
        "another name": ('url = url.replace("limit=", "max=")', "query:limit: no argument of the function sends"),
        "names swapped": (
            'url = url.replace("limit=", "@=").replace("status=", "limit=").replace("@=", "status=")',
            "query:limit: the argument status sends it, and not limit",
        ),
        "a lost parameter": (
            'url = _re.sub("status=[a-z]+", "", url)',
            "query:status: it is sent as nothing instead of",
        ),
        "another case": ('url = url.replace("open", "OPEN")', 'query:status: it is sent as "status=OPEN"'),
        "a lost header": ('headers.pop("x-trace", None)', "header:X-Trace: no argument of the function sends"),
        "a lost cookie": ('headers.pop("Cookie", None)', "cookie:session: no argument of the function sends"),
        "a path unquoted": ('url = url.replace("%2F", "/")', "its path is sent as"),
        "places swapped": ('url = _re.sub("orders/[^/]*/items/[^/?]*", _swapped(kwargs), url)', "its path is sent as"),
        "a place for another": (
            'url = _re.sub("limit=([^&]*)", "limit=7", url) if "limit=1" in url else url',
            'query:limit: it is sent as "limit=7" instead of "limit=1"',
        ),
    },
    "order": {
        "another path": ('url = url.replace("/orders", "/order")', "its path is sent as /v1/order instead of"),
        "another method": ('request.method = "PUT"', "it is sent as PUT"),
        "another server": ('url = url.replace("api.", "eu.")', r"sent to https://eu\.example, its server is"),
        "another base path": ('url = url.replace("/v1", "/v2")', "its path is sent as /v2/orders instead of"),
        "JSON as a form": ('headers["content-type"] = "application/x-www-form-urlencoded"', NOT_JSON),
        "JSON that is none": ("content = str(made).encode()", "the body is not JSON"),
        "a lost member": ("content = content.replace(b'price', b'prize')", "price is null instead of"),
        "JSON as multipart": ('headers["content-type"] = "multipart/form-data; boundary=x"', NOT_JSON),
    },
    "pay": {
        "an object of Python in a form": (
            "content = b'amount=text+%C3%A9&lines=%5B%27text%27%5D'",
            r"""the field lines is "lines=\['text'\]" instead of""",
        ),
        "a field of a form unasked": ("content += b'&test=1'", f'the form has "test=1", {UNDECLARED}'),
        "a query unasked": ('url += "?dry=1"', f'the query has "dry=1", {UNDECLARED}'),
        "a header unasked": ('headers["x-test"] = "1"', f"the header x-test is sent, {UNDECLARED}"),
    },
    "upload": {
        "a file cut": ("content = content.replace(b'bytes', b'byte')", "the part file is"),
        "a part twice": (
            r"""content = content.replace(b'"note"', b'"file"')""",
            "file is sent as 2 parts instead of 1",
        ),
    },
}
ANSWERS = {
    "find": {
        "a lost status": (
            "if response.status_code >= 400: raise errors.UnexpectedStatus(response.status_code, b'')",
            "responses\\.4XX\\.content\\.application/json: asyncio_detailed raises UnexpectedStatus",
        ),
        "an answer that is nothing": (
            "if response.status_code == 200: return None",
            "responses\\.200\\.content\\.application/json: its body is not read: parsed is None",
        ),
    },
    "order": {
        "another class": (
            "if response.status_code == 201: from ...models import Problem; return Problem.from_dict(response.json())",
            "no attribute of Problem holds it",
        ),
        "a plain dict": (
            "if response.status_code == 201: return response.json()",
            "its fields are not attributes, but a dict",
        ),
        "an empty answer that raises": ("response.json()", "responses\\.202: sync_detailed raises JSONDecodeError"),
    },
    "upload": {"bytes as text": ("return response.text", "the body is read as")},
}


MODULES = {
    "an async function that reads another answer": (
        "api/shop/order",
        (
            "async def asyncio_detailed(*, client, body):\n    sync_detailed.calls = 1\n"
            "    _response = await client.get_async_httpx_client().request(**_get_kwargs(body=body))\n"
            "    return Response(status_code=200, content=b'', headers={}, parsed=None)\n"
        ),
        r"responses\.201.*parsed is None",
    ),
    "a short function that reads another answer": (
        "api/shop/order",
        "def sync(*, client, body):\n    return None\n",
        r"responses\.201\.content\.application/json: sync reads it otherwise than sync_detailed",
    ),
    "no sync function": ("api/shop/order", "del sync_detailed\n", "no attribute 'sync_detailed'"),
    "no async function": ("api/shop/order", "del asyncio_detailed\n", "no attribute 'asyncio_detailed'"),
    "another base URL": (
        "client",
        'DEFAULT_BASE_URL = "https://eu.example/v1"\n',
        r"the package's DEFAULT_BASE_URL is https://eu\.example/v1, not https://api\.example/v1",
    ),
    "a module that cannot be imported": (
        "models/order",
        "raise KeyError('x')\n",
        "^wrong: the package: it cannot be imported: KeyError: 'x'; do not use it; it cannot be accepted$",
    ),
    "a field that is not written": (
        "models/order",
        (
            "_written = Order.to_dict\n"
            "Order.to_dict = lambda self: {k: v for k, v in _written(self).items() if k != 'due'}\n"
        ),
        r"^wrong: paths\./orders\.post\.requestBody.*due is null",
    ),
    "a constructor that loses a field": (
        "models/order",
        (
            "_made = Order.__init__\n\ndef _init(self, *args, due=UNSET, **kwargs):\n"
            "    _made(self, *args, **kwargs)\n\nOrder.__init__ = _init\n"
        ),
        "Order built by its constructor is another value",
    ),
    "an async function that sends another request": (
        "api/shop/find",
        (
            "_awaited = asyncio_detailed\n\nasync def asyncio_detailed(*args, limit=UNSET, **kwargs):\n"
            "    return await _awaited(*args, **kwargs)\n"
        ),
        r"^wrong: paths\./orders/{order_id}/items/{item_name}\.get: asyncio_detailed sends another request than sync",
    ),
    "a field that is not an attribute": (
        "models/order",
        (
            "_read = Order.from_dict.__func__\n\ndef _from_dict(cls, src_dict, *left):\n"
            "    made = _read(cls, {k: v for k, v in src_dict.items() if k != 'due'}, *left)\n"
            "    made.additional_properties.update({k: v for k, v in src_dict.items() if k == 'due'})\n"
            "    return made\n\nOrder.from_dict = classmethod(_from_dict)\n"
        ),
        r"^missing: components\.schemas\.Order\.properties\.due: no attribute of Order holds it; do without it",
    ),
    "a word of an enum": ("models/status", "Status.PAID._value_ = 'payed'\n", "no enum value 'paid'"),
    "a word of an enum is gone": ("models/status", "Status._member_names_.remove('PAID')\n", "no enum value 'paid'"),
    "a number is gone": ("models/order_size", "OrderSize._member_names_.remove('VALUE_2')\n", "no enum value 2"),
    "an operation is gone": (
        "api/shop/order",
        "del OPERATION\n",
        "missing: paths./orders.post: the package has no function for it; do without it, and accept it with a reason",
    ),
    "a member of a union that is read as another one": (
        "models/bank",
        "from .card import Card\nBank._decode = classmethod(lambda cls, d, levels: Card._decode(d, levels))\n",
        r"components\.schemas\.Bank\.properties\.iban: no attribute of Card holds it",
    ),
}
"""What is appended to a module, and what is said of it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    assert generate(SHOP, folder).left_out == []
    return folder / "shop_api"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "shop_api", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "shop_api"


def lines(package: Path) -> list[str]:
    return [each.line() for each in inspect(load(SHOP), package).problems.values()]


def test_the_package_as_it_is_made_is_green(made: Path) -> None:
    findings = inspect(load(SHOP), made)
    assert not findings.problems
    assert findings.declared == findings.present == {
        "operations": 4, "parameters": 7, "answers": 7, "schemas": 5, "properties": 12, "enum values": 9,
    }  # fmt: skip


PLANTED = MODULES | {
    name: (f"api/shop/{module}", code.format(change=change), said)
    for code, planted in ((TAMPERED, REQUESTS), (PARSED, ANSWERS))
    for module, changes in planted.items()
    for name, (change, said) in changes.items()
}


@pytest.mark.parametrize(("module", "code", "said"), PLANTED.values(), ids=PLANTED)
def test_a_mistake_is_found(package: Path, module: str, code: str, said: str) -> None:
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{code}")
    assert any(re.search(said, line) for line in lines(package)), lines(package)
