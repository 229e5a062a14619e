"""Turn a final failure into the error that the caller sees: its sentences and its attributes."""

from __future__ import annotations

import httpx

from victor_ext.errors import Conflict, NotFound, Outcome, Problem, VictorError
from victor_ext.privacy import one_line, one_own_line, redact_excerpt

from .behaviour import Behaviour
from .classification import Failure
from .conflicts import Use

_LISTED = 10
"""The most problems that a message lists; the error's `problems` has all of them."""


def error_for(
    failure: Failure,
    *,
    behaviour: Behaviour,
    request: httpx.Request,
    call: httpx.Request | None,
    outcome: Outcome,
    key: str | None,
    attempts: int,
    tries: int,
    retry_after: float | None,
    why: str,
) -> VictorError:
    """The error of a request that is given up, after `tries` of it; `call` is None if it was one for a token."""
    response = failure.response
    # A response to a request that holds a secret may repeat it, so it is not quoted.
    quoted = response is not None and not behaviour.operation_of(response.request).is_secret
    problems = tuple(behaviour.problems(response)) if response is not None and quoted else ()
    sentences = [_what_happened(failure, behaviour, request, tries, problems, why)]
    if retry_after is not None:
        sentences.append(f"The provider asks for no other request within {retry_after:g} s.")
    if response is not None and response.status_code == 401:
        sentences.append(behaviour.authentication_hint.replace("{host}", request.url.host))
    if failure.error_class is NotFound:
        sentences.append(behaviour.operation_of(request).not_found)
    used = failure.use not in (None, Use.IN_PROGRESS)
    error = failure.error_class(
        " ".join(filter(None, sentences)),
        outcome=outcome,
        idempotency_key=key,
        request=request,
        response=response,
        attempts=attempts,
        request_id=request_id_of(response, behaviour),
        retry_after=retry_after,
        problems=problems,
        hint="" if call is None else what_to_do(outcome, key, call, behaviour, conflict=used),
    )
    if response is not None and error.body is not None:
        response.whole = error.body  # frames of the traceback keep the response: one body in memory, not two
    if isinstance(error, Conflict):
        error.in_progress = failure.use is Use.IN_PROGRESS
    error.__cause__ = failure.cause
    return error


def _what_happened(
    failure: Failure, behaviour: Behaviour, request: httpx.Request, tries: int, problems: tuple[Problem, ...], why: str
) -> str:
    after = f" after {tries} attempts" if tries > 1 else ""
    what = failure.what
    if problems and failure.response is not None:
        listed = "; ".join(
            f"{redact_excerpt(problem.field)}: {problem.message}" if problem.field else problem.message
            for problem in problems[:_LISTED]
        )
        if len(problems) > _LISTED:
            listed += f"; and {len(problems) - _LISTED} more"
        good = failure.response.status_code < 400
        what = f"{what}: {listed}" if good else f"status {failure.response.status_code}: {listed}"
    cause = f"; {why}" if why else ""
    ended = (what.rstrip(" .") + cause).rstrip(" .")
    return f"{request.method} {one_own_line(request.url.path)} at {behaviour.who(request)} failed{after}: {ended}."


def what_to_do(
    outcome: Outcome, key: str | None, request: httpx.Request, behaviour: Behaviour, *, conflict: bool = False
) -> str:
    """What the caller may do after the failure. Empty for a read, which may always be repeated."""
    row = behaviour.operation_of(request)
    if row.reads:
        return ""
    look = f"look {row.hint(request)}".rstrip()
    step = outcome.next_step(None if key is None else f"idempotency_key={key!r}", look, conflict=conflict)
    return f"{step} The response is in the error's `body`." if outcome is Outcome.ACCEPTED else step


def request_id_of(response: httpx.Response | None, behaviour: Behaviour) -> str | None:
    """The provider's id of the exchange, from the headers or the body of a response, or None."""
    if response is None:
        return None
    named = next((response.headers[name] for name in behaviour.request_id_headers if name in response.headers), None)
    if not named and behaviour.request_id_in_body is not None:
        named = behaviour.request_id_in_body(response)
    return named and one_line(named)
