"""A token from a token endpoint. `TokenCache` keeps it, and fetches it once for all callers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from victor_ext.errors import AuthenticationError, Problem, StatusError, UnreadableResponse
from victor_ext.privacy import Secret, SecretBytes
from victor_ext.runtime.auth.tokens import IssuedToken, TokenCache
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.headers import is_scheme, is_token
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.flow import Flow, Lock
from victor_ext.runtime.loop.operations import TOKEN, Operation
from victor_ext.runtime.loop.unauthorized import Exchange

_PASSING_STATUSES = frozenset({408, 425, 429})  # of 400 to 499, after which another attempt may help
_SMALLEST_MILLISECONDS = 1e11  # the year 1973; in seconds it would be the year 5138
_LATEST = 7_258_118_400.0  # the year 2200, in seconds


class OAuthToken(TokenCache):
    """A token from a token endpoint, whose row in the table of its system is `row`.

    `ask` makes the request. `read` reads a token from the JSON object of the response and the provider's time; None
    without a token. `hint` says what to check when the endpoint refuses, and `code_of` reads the provider's code then.
    """

    def __init__(
        self,
        ask: Callable[[], httpx.Request],
        read: Callable[[dict[str, Any], float], IssuedToken | None],
        clock: ServerClock,
        lock: Lock,
        *,
        hint: str = "",
        code_of: Callable[[httpx.Response], str] = lambda _response: "",
        row: Operation = TOKEN,
    ) -> None:
        super().__init__(clock, lock)
        self._ask, self._read, self._hint, self._code_of, self._row = ask, read, hint, code_of, row

    def _obtain(self, exchange: Exchange, seconds: float | None, *, best_effort: bool) -> Flow[IssuedToken]:  # noqa: ARG002 - the exchange knows what is left
        request = self._ask()
        request.extensions[OPERATION] = self._row
        try:
            response = yield from exchange(request, best_effort=best_effort)
        except StatusError as error:
            # A rejection, with an error status or in the body of a good one. A 404 counts too: raised as it is, it
            # would read as if the payment of the call did not exist.
            status = error.status_code or 0
            if 300 <= status < 400 or status >= 500 or status in _PASSING_STATUSES:
                raise
            refusal = error
        except UnreadableResponse as error:
            error.response = None  # its body may hold a token that works
            raise
        else:
            token = self._read(response.json(), self._clock.now())
            if token is None:
                raise UnreadableResponse(
                    f"The response of the token endpoint {request.url.path} has status {response.status_code}, but no "
                    "usable token.",
                    request=request,
                )
            return token
        what = "refused the credentials" if refusal.status_code in (200, 400, 401, 403) else "issued no token"
        code = "" if refusal.response is None else self._code_of(refusal.response)
        said = f"status {refusal.status_code}, code {code}" if code else f"status {refusal.status_code}"
        raise AuthenticationError(
            f"The token endpoint {request.url.path} {what} ({said}). {self._hint}".rstrip(),
            request=request,
            response=refusal.response,
            request_id=refusal.request_id,
            problems=[Problem("", code, f"the provider gave the code {code}")] if code else (),
        )


def token_request(
    url: httpx.URL, body: Mapping[str, str], *, as_form: bool = False, headers: Mapping[str, str] | None = None
) -> httpx.Request:
    """A POST with these members, of which no frame of httpx shows the text."""
    content = SecretBytes((urlencode(body) if as_form else json.dumps(body)).encode())
    kind = "application/x-www-form-urlencoded" if as_form else "application/json"
    always = {"accept": "application/json", "Content-Type": kind}  # as httpx spells it: mocks compare it
    return httpx.Request("POST", url, headers={**always, **(headers or {})}, content=content)


def header_value(token_type: object, token: object) -> Secret | None:
    """`<type> <token>`, with `Bearer` where the endpoint named no type; None if no header can hold them."""
    if not is_token(token):
        return None
    named = isinstance(token_type, str) and token_type != "" and token_type.isascii() and token_type.isprintable()
    scheme = str(token_type) if named else "Bearer"
    return Secret(f"{scheme} {token}") if is_scheme(scheme) else None


def basic(username: Secret, password: Secret) -> Secret:
    """The header of Basic authentication (RFC 7617)."""
    pair = Secret(f"{username}:{password}")
    return Secret("Basic " + base64.b64encode(pair.encode()).decode())


def moment_of(expires: object) -> float | None:
    """A moment in seconds of the epoch, from seconds or (from 10^11 on) milliseconds; None: no such, or after 2200."""
    try:
        number = float(expires) if isinstance(expires, str) else expires
    except ValueError:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < _LATEST * 1000:
        return None
    seconds = number / 1000 if number >= _SMALLEST_MILLISECONDS else float(number)
    return seconds if seconds <= _LATEST else None
