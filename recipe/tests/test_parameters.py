"""How parameters are sent, each style of OpenAPI in each place, with typed arguments; and to which
server.
"""

import datetime
import importlib
from typing import get_type_hints

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api.servers import filled

from victor_spec.rewrites.operations import UNNAMED

from .wire import BASE, Wire, beside, done, package, parameter

pytestmark = pytest.mark.pull_request
DOCUMENTS = beside("parameters")
PARAMETERS = {
    name: parameter("x", each.pop("in"), **each) for name, each in DOCUMENTS["parameters"].items()
}
PATHS = {
    f"/{name}" + ("/{x}" if each["in"] == "path" else ""): {"get": done(name, parameters=[each])}
    for name, each in PARAMETERS.items()
}
PATHS["/own/{id}#shared"] = {
    "get": done("own_fragment", parameters=[parameter("id", "path"), parameter("x")])
}
PATHS["/own?kind=a"] = {"get": done("own_query", parameters=[parameter("x")])}
PATHS["/replaced"] = {
    "parameters": [
        parameter("x", schema={"type": "boolean"}),
        parameter("X-Trace", "header", {"type": "boolean"}),
        parameter("shared"),
    ],
    "get": done(
        "replaced",
        parameters=[
            parameter("x", schema={"type": "integer"}),
            parameter("x-trace", "header", {"type": "integer"}),
        ],
    ),
}


wire = package(lossy=True, paths=PATHS)


@pytest.mark.parametrize(("operation", "value", "sent"), DOCUMENTS["sent"])
def test_a_value_is_written_in_the_style_of_its_parameter(wire, operation, value, sent):
    """The other styles: `test_each_request_is_sent_as_declared_except_at_one_known_place`."""
    given = {} if PARAMETERS[operation]["in"] == "path" else {"x": value}
    assert wire.target(operation, *([] if given else [value]), **given) == f"/{operation}{sent}"


def test_each_request_is_sent_as_declared_except_at_one_known_place(wire):
    """The encoder of the calls shares no code with the package; its text with a blank is none for a
    list divided by blanks.
    """


def test_a_cookie_is_sent_beside_those_of_the_client(wire):
    requests = []
    client = wire.client(requests, cookies={"y": "2"})
    wire.module("cookie").sync_detailed(client=client, x="1")
    cookies = requests[0].headers["cookie"].split("; ")
    assert sorted(cookies) == ["x=1", "y=2"]


def test_moments_in_a_header_are_written_as_in_json(wire):
    moments = [datetime.datetime(2026, 3, day, tzinfo=datetime.UTC) for day in (4, 5)]
    sent = wire.send("header_times", x=moments)
    assert sent.headers["x"] == "2026-03-04T00:00:00Z,2026-03-05T00:00:00Z"


@pytest.mark.parametrize(("operation", "name"), [("header_list", "x"), ("cookie", "cookie")])
def test_a_header_or_cookie_parameter_without_a_value_is_not_sent(wire, operation, name):
    assert name not in wire.send(operation).headers


@pytest.mark.parametrize(
    ("operation", "value", "cookie"),
    [
        ("cookie", "a/b+c==", "x=a/b+c=="),
        ("cookie_itself", "a%2Fb", "x=a%2Fb"),
    ],
)
def test_a_cookie_is_not_encoded_again(wire, operation, value, cookie):
    assert wire.send(operation, x=value).headers["cookie"] == cookie


def test_arguments_have_the_types_of_the_document(wire):
    unset = wire.types.Unset
    word = wire.models.CommaWordsXItem
    for operation, hint in {
        "comma_list": list[str] | unset,
        "header_list": list[str] | unset,
        "header_times": list[datetime.datetime] | unset,
        "path_list": list[str],
        "comma_words": list[word] | unset,
    }.items():
        assert get_type_hints(wire.module(operation).sync_detailed)["x"] == hint


def test_a_parameter_of_an_operation_replaces_the_one_of_its_path(wire):
    """Two headers are one in any letter case, as in HTTP."""
    hints = get_type_hints(wire.module("replaced").sync_detailed)
    unset = wire.types.Unset
    arguments = {name: hints[name] for name in hints.keys() - {"client", "return"}}
    assert arguments == {"x": int | unset, "x_trace": int | unset, "shared": str | unset}


@pytest.mark.parametrize(("operation", "value", "why"), DOCUMENTS["refused"])
def test_a_parameter_value_that_cannot_be_written_is_refused_with_the_reason(
    wire, operation, value, why
):
    with pytest.raises(ValueError) as caught:
        wire.send(operation, x=value)
    assert str(caught.value).startswith(why)


def test_a_parameter_whose_form_openapi_does_not_define_is_reported_as_left_out(wire):
    assert [
        line.partition(", whose form OpenAPI does not define, is refused when called")[0]
        for line in wire.result.left_out
    ] == [
        "GET /nested: query parameter x: an object or a list in its .ids",
        "GET /cookie_exploded: cookie parameter x: an exploded list or object",
    ]


def test_an_object_within_an_object_is_refused_unless_the_parameter_is_a_deep_object(wire):
    nested = wire.models.NestedX.from_dict
    assert wire.target("nested", x=nested({"a": 1})) == "/nested?a=1"
    with pytest.raises(
        ValueError,
        match="x: neither the document nor OpenAPI says how an object is written as the m",
    ):
        wire.send("nested", x=nested({"range": {"gt": 1}}))


def test_separators_in_a_wire_name_become_underscores_in_the_python_name(tmp_path):
    names = {"filter_status": "filter[status]", "filter_status_list": "filter[status][]"}
    names |= {"ids": "ids[]", "page_size": "page:size", "a_b": "a/b"}
    parameters = [parameter(wire_name) for wire_name in names.values()]
    paths = {
        "/a": {"get": done("customers:list", parameters=parameters)},
        "/b": {"get": done("customers/get{id}")},
    }
    wire = Wire(tmp_path, paths=paths)
    assert wire.target("customers_get_id") == "/b"
    sent = wire.send("customers_list", **{name: name for name in names})
    assert dict(sent.url.params) == {wire_name: name for name, wire_name in names.items()}


def test_a_path_parameter_that_the_path_spells_differently_is_noted_and_filled_in(tmp_path):
    other = parameter("cardId", "path", {"type": "integer"})
    paths = {"/cards/{id}": {"get": done("get_card", parameters=[other])}}
    wire = Wire(tmp_path, paths=paths)
    assert wire.result.log.differences() == [f"GET /cards/{{id}} path cardId: {UNNAMED}"]
    assert wire.result.log.notes() == []
    assert wire.target("get_card", id="1") == "/cards/1"


# Servers of the document, of a path and of an operation

SERVERS = DOCUMENTS["servers"]
OWN = DOCUMENTS["own"]
SERVER_PATHS = {"/shared": {"get": done("shared")}} | {
    path: {
        method: each if method == "servers" else done(each["operationId"], **each)
        for method, each in own.items()
    }
    for path, own in (("/files/{id}", OWN), ("/files/{id}#", DOCUMENTS["other"]))
}


served = package(servers=SERVERS, paths=SERVER_PATHS)


def test_the_package_names_the_servers_of_the_document(served):
    package = importlib.import_module(served.name)
    assert package.DEFAULT_BASE_URL == "https://eu.pay.example/v1"
    assert package.SERVERS == ("https://eu.pay.example/v1", "https://sandbox.pay.example/v1")
    assert package.OPERATION_SERVERS["https://files.eu.example"] == "https://files.{region}.example"
    assert {"DEFAULT_BASE_URL", "SERVERS", "OPERATION_SERVERS"} < set(package.__all__)
    assert not hasattr(package, "BASE_PATH")


@pytest.mark.parametrize(("name", "url"), DOCUMENTS["own_urls"])
def test_operations_use_the_base_url_unless_the_client_is_given_their_own_servers(
    served, name, url
):
    assert served.send(name, "a/b").url == f"{BASE}/files/a%2Fb"
    requests = []
    own = served.client(requests, servers=served.client_module.OPERATION_SERVERS)
    served.module(name).sync_detailed("a/b", client=own)
    served.module("shared").sync_detailed(client=own.with_headers({"a": "b"}))
    assert [str(each.url) for each in requests] == [url, f"{BASE}/shared"]


def test_a_server_url_is_filled_with_given_values_and_refuses_wrong_ones(served):
    server_url, [region, *_] = (
        served.client_module.Client.server_url,
        served.client_module.SERVER_VARIABLES,
    )
    assert region == "https://{region}.pay.example/{version}"
    assert server_url(region) == "https://eu.pay.example/v1"
    assert (
        server_url(f"{region}/", {"region": "7", "version": "a/2"}) == "https://7.pay.example/a/2/"
    )
    assert (
        server_url("https://{tenant}.pay.example", {"tenant": "acme"}) == "https://acme.pay.example"
    )
    for url, values, says in DOCUMENTS["wrong_values"]:
        with pytest.raises(ValueError, match=says):
            server_url(url, values)


@given(value=st.text() | st.text("a.:/@%?#\\"))
def test_no_value_of_a_server_variable_leads_to_another_host(value):
    try:
        url = httpx.URL(
            filled("https://{tenant}.pay.example/{v}", {"tenant": value, "v": value}, {})
        )
    except (ValueError, httpx.InvalidURL):
        return
    assert url.host.endswith(".pay.example")


def test_a_document_with_only_relative_servers_has_a_base_path_and_no_default_base_url(tmp_path):
    paths = {"/x": {"get": done("other", servers=[{"url": "/v9"}])}}
    served = Wire(tmp_path, servers=[{"url": "/v1"}], paths=paths)
    package = importlib.import_module(served.name)
    assert not hasattr(package, "DEFAULT_BASE_URL")
    assert package.BASE_PATH == "/v1"
    assert served.send("other").url == f"{BASE}/x"
    requests = []
    served.module("other").sync_detailed(
        client=served.client(requests, servers=package.OPERATION_SERVERS)
    )
    assert requests[0].url == "https://api.example/v9/x"


# ---- One allowed word ----

ONE_WORD = {"type": "string", "enum": ["application/vnd.x+json"]}
SCHEMAS_OF_ONE_WORD = {
    "enum": ONE_WORD,
    "reference": {"$ref": "#/components/schemas/Word"},
    "const": {"const": "application/vnd.x+json"},
}


def required(name, place="header", schema=ONE_WORD):
    return parameter(name, place, schema, required=True)


@pytest.fixture(scope="module")
def one_word(tmp_path_factory):
    """The package of operations that need a word which is the only one."""
    paths = {
        f"/{name}": {"get": done(name, parameters=[required("Accept", schema=schema)])}
        for name, schema in SCHEMAS_OF_ONE_WORD.items()
    }
    paths["/{version}/{id}/{kind}"] = {
        "post": done(
            "write",
            parameters=[
                *(parameter(each, "path", {"enum": [f"{each}1"]}) for each in ("version", "kind")),
                parameter("id", "path"),
                required("size", "query", {"type": "integer", "enum": [3]}),
                required("agreed", "query", {"const": True}),
                parameter("X-Free", "header", ONE_WORD),
                required("X-Two", schema={"enum": ["a", "b"]}),
            ],
        )
    }
    folder = tmp_path_factory.mktemp("one_word")
    return Wire(folder, paths=paths, components={"schemas": {"Word": ONE_WORD}}, openapi="3.1.0")


@pytest.mark.parametrize("operation", SCHEMAS_OF_ONE_WORD)
def test_a_required_argument_with_one_allowed_word_has_it_as_its_default(one_word, operation):
    assert one_word.send(operation).headers["accept"] == "application/vnd.x+json"
    other = one_word.send(operation, accept="application/json")
    assert other.headers["accept"] == "application/json"


def test_each_other_required_argument_is_still_asked_for(one_word):
    """A flag is somebody's consent; and of positional arguments only the last can be left out."""
    two = one_word.send("write", "version1", "7", agreed=True, x_two="a")
    assert two.url.raw_path.decode() == "/base/version1/7/kind1?size=3&agreed=true"
    assert "x-free" not in two.headers
    for missing in ({"agreed": True}, {"x_two": "a"}):
        with pytest.raises(TypeError, match="required keyword-only argument"):
            one_word.send("write", "version1", "7", **missing)
