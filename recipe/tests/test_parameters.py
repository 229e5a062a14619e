"""How parameters are sent, each style of OpenAPI in each place, with typed arguments; and to which
server.
"""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api.servers import filled

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
    assert wire.faults() == ["paths./space_list.get"]


@pytest.mark.parametrize(("operation", "value", "why"), DOCUMENTS["refused"])
def test_a_parameter_value_that_cannot_be_written_is_refused_with_the_reason(
    wire, operation, value, why
):
    with pytest.raises(ValueError) as caught:
        wire.send(operation, x=value)
    assert str(caught.value).startswith(why)


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
