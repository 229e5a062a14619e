"""Let the client of the old document talk to a provider that does what the new one says."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

from victor_spec.checking.package import Caller, Function, build
from victor_spec.checking.passing import Probe, shape

from .provider import FORM, REFUSED, Answer, Operation, Provider, Request
from .values import key_paths


class Proof(NamedTuple):
    """A level, and what was seen."""

    level: str
    reason: str


class Call:
    """A function of the old package, and which argument is sent as what: that is seen in the
    request that it makes.
    """

    def __init__(self, function: Function, caller: Caller, operation: Operation) -> None:
        probe = Probe(function, caller)
        names = re.findall(r"{([^}]+)}", operation.path)
        self.module, self._hints = function.module, function.hints
        self._names = {
            ("path", name): argument for name, argument in zip(names, probe.in_path, strict=True)
        }
        self._names |= {key: arguments[0] for key, arguments in probe.sent.items()}

    def arguments(self, request: Request) -> dict[str, Any]:
        sent = {
            (place, wire.lower() if place == "header" else wire): v
            for (place, wire), v in request.parameters.items()
        }
        given = {self._names[key]: value for key, value in sent.items()}
        if request.body is not None:
            given["body"] = request.body
        return {name: build(self._hints[name], value) for name, value in given.items()}


class OldClient:
    """The generated package of the old document, with the document."""

    def __init__(self, package: str, provider: Provider) -> None:
        self.provider = provider
        api = importlib.import_module(f"{package}.api")
        names = [
            found.name
            for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
            if not found.ispkg
        ]
        self.client = importlib.import_module(f"{package}.client").Client
        functions = [Function(importlib.import_module(name)) for name in names]
        asked: Any = SimpleNamespace(load=lambda name: importlib.import_module(f"{package}.{name}"))
        caller = Caller(asked, "http://localhost")
        self.functions = {
            (method, path): Call(
                next(
                    each
                    for each in functions
                    if (each.method, shape(each.path)) == (method, shape(path))
                ),
                caller,
                operation,
            )
            for (method, path), operation in provider.operations.items()
        }
        self._seen: list[httpx.Response] = []
        self.errors: Any = importlib.import_module(f"{package}.errors")

    def talk_to(
        self, new: Provider, served: Provider | None = None, moves: Mapping[str, str] | None = None
    ) -> Proof:
        """Call every operation of the old document, with all that it allows, and read all that the
        new one allows.

        `served` has other paths than `new`, and nothing else; `moves` leads there: `get /v1/cards`
        -> `get /v2/cards`.
        """
        look: Proof | None = None
        with httpx.Client(
            base_url=f"http://provider.example{self.provider.base}",
            event_hooks={"response": [self._seen.append]},
            transport=_Followed(self.provider, served or new, moves or {}),
        ) as connection:
            client = self.client(base_url=str(connection.base_url), raise_on_unexpected_status=True)
            client.set_httpx_client(connection)
            for key in self.functions:
                other = new.operations.get(key)
                if other is not None and self.provider.essence(
                    self.provider.operations[key]
                ) == new.essence(other):
                    continue
                for proof in self._operation(key, new, client, connection):
                    if proof.level == "breaks":
                        return proof
                    look = look or proof
        return look or self._news(new)

    def _operation(
        self, key: tuple[str, str], new: Provider, client: Any, connection: Any
    ) -> Iterator[Proof]:
        where, function, requests = (
            " ".join(key),
            self.functions[key],
            self.provider.operations[key].requests,
        )
        other = _same_operation(new, key)
        answers = other.responses if other is not None else []
        if other is not None:
            yield from self._lost(where, self.provider.operations[key].responses, answers)
        connection.headers = {"User-Agent": "rehearsal", **self._credentials(key)}
        for number in range(max(len(requests), len(answers))):
            request = requests[number % len(requests)]
            connection.headers["X-Answer"] = str(number)
            try:
                parsed = function.module.sync_detailed(
                    **function.arguments(request), client=client
                ).parsed
            except self.errors.UnexpectedStatus as error:
                if error.status_code == REFUSED:
                    yield Proof("breaks", f"{where}: refused: {error.content.decode()}")
                    return
                if error.status_code < 400:
                    yield Proof("breaks", f"{where}: unexpected status {error.status_code}")
                continue
            except self.errors.UnreadableBody as error:
                yield Proof("breaks", f"{where}: unreadable body {error}")
                continue
            response = self._seen.pop()
            yield from self._judged(where, key, response, parsed)
            if (taken := response.headers["X-Defaults"]) != json.dumps(
                self.provider.defaults(response.request)
            ):
                yield Proof("look", f"{where}: other defaults {taken}")

    def _judged(
        self, where: str, key: tuple[str, str], response: httpx.Response, parsed: Any
    ) -> Iterator[Proof]:
        operation = self.provider.operations[key]
        contents = operation.answers.get(str(response.status_code))
        if contents is None:
            contents = operation.answers.get(
                f"{response.status_code // 100}XX", operation.answers.get("default", {})
            )
        schema = next((tree for kind, tree in contents.items() if "json" in kind), None)
        if schema is None:
            return
        value = response.json()
        problem = self.provider.invalid("loose", schema, value)
        if problem is not None:
            yield Proof("breaks", f"{where} {response.status_code}: {problem}")
        elif problem := self.provider.invalid("open", schema, value):
            yield Proof("look", f"{where} {response.status_code}: {problem}")
        declared = self.provider.values.whole(schema).get("properties", {})
        kept = set(getattr(parsed, "additional_properties", {})) & set(declared)
        if kept:
            yield Proof("breaks", f"{where} {response.status_code}: not read: {sorted(kept)}")

    @staticmethod
    def _lost(where: str, old: list[Answer], new: list[Answer]) -> Iterator[Proof]:
        """Members and successes that the old document promised and that no longer come."""
        after = {answer.status for answer in new}
        for status in dict.fromkeys(answer.status for answer in old):
            if status not in after:
                if status.startswith("2"):
                    yield Proof("breaks", f"{where}: no answer {status}")
                continue
            lost = _paths(old, status) - _paths(new, status)
            if lost:
                yield Proof("breaks", f"{where} {status}: {min(lost)} never comes")

    def _credentials(self, key: tuple[str, str]) -> dict[str, str]:
        found = self.provider.credentials(self.provider.operations[key])[:1]
        starts = {"Bearer ": "Bearer abc", "Basic ": "Basic YTpi"}
        return {name: starts.get(start, "key") for each in found for name, start in each}

    def _news(self, new: Provider) -> Proof:
        """Whether the new document allows or promises anything that the old one does not, or the
        other way round.
        """
        for one, other, word in ((new, self.provider, "new"), (self.provider, new, "old")):
            for key, operation in one.operations.items():
                same = _same_operation(other, key)
                if same is None:
                    return Proof("fine", f"{word} operation {' '.join(key)}")
                if one.essence(operation) == other.essence(same):
                    continue
                for request in operation.requests:
                    if refusal := other.refusal(_raw(one, request, other.base)):
                        return Proof("fine", f"{word} request of {' '.join(key)}: {refusal}")
                answers, known = operation.responses, same.responses
                gained = {
                    status: _paths(answers, status) - _paths(known, status)
                    for status in operation.answers
                }
                for answer in answers:
                    if not any(
                        each.status == answer.status and each.content_type == answer.content_type
                        for each in known
                    ):
                        return Proof(
                            "fine",
                            f"{word} answer {answer.status} {answer.content_type} of "
                            f"{' '.join(key)}",
                        )
                    if extra := gained[answer.status]:
                        return Proof(
                            "fine",
                            f"{word} members of {' '.join(key)} {answer.status}: {min(extra)}",
                        )
                    schema = next(each.schema for each in known if each.status == answer.status)
                    if schema is not None and (
                        problem := other.invalid("open", schema, answer.body)
                    ):
                        return Proof(
                            "fine", f"{word} answer of {' '.join(key)} {answer.status}: {problem}"
                        )
        return Proof("none", "nothing differs")


class _Followed(httpx.BaseTransport):
    """Hands each request of the old document to the provider, at the path where its operation is
    now.
    """

    def __init__(self, old: Provider, served: Provider, moves: Mapping[str, str]) -> None:
        self._old, self._served, self._moves = old, served, moves

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        found = self._old.route(request)
        target = self._moves.get(f"{found[0].method} {found[0].path}") if found else None
        if found is None or target is None:
            return self._served.answer(request)
        method, _, path = target.partition(" ")
        values = iter(found[1].values())
        url = request.url.copy_with(
            path=self._old.base + re.sub("{[^}]+}", lambda _: next(values), path)
        )
        return self._served.answer(
            httpx.Request(method.upper(), url, headers=request.headers, content=request.read())
        )


def _same_operation(provider: Provider, key: tuple[str, str]) -> Operation | None:
    same = (key[0], shape(key[1]))
    return next(
        (each for each in provider.operations.values() if (each.method, shape(each.path)) == same),
        None,
    )


def _paths(answers: list[Answer], status: str) -> set[str]:
    return {path for each in answers if each.status == status for path in key_paths(each.body)}


def _raw(provider: Provider, request: Request, base: str) -> httpx.Request:
    """A request as the provider gets it."""
    headers = {
        name: str(value) for (place, name), value in request.parameters.items() if place == "header"
    }
    headers |= {
        name: f"{start}abc"
        for each in provider.credentials(request.operation)[:1]
        for name, start in each
    }
    query = [
        (name, each if isinstance(each, str) else json.dumps(each))
        for (place, name), value in request.parameters.items()
        for each in (value if isinstance(value, list) else [value])
        if place == "query"
    ]
    body = b"" if request.body is None else json.dumps(request.body).encode()
    if request.content_type.partition(";")[0] == FORM:
        body = urlencode(request.body).encode()
    url = httpx.URL(f"http://provider.example{base}{quote(request.path())}", params=query)
    headers["Content-Type"] = request.content_type
    return httpx.Request(request.operation.method, url, headers=headers, content=body)
