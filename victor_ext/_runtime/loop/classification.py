"""Classify the result of one attempt: may it be tried again, and what may have happened.

And its error.
"""

import re
import ssl
from enum import Enum

import httpx
from msgspec.structs import replace

from victor_ext import errors
from victor_ext._privacy import body_of, excerpt, one_line, one_own_line, redact_excerpt
from victor_ext._runtime.core.json_values import is_object, json_of
from victor_ext._runtime.core.response import Response
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, NotFound, Outcome, Problem, VictorError

from .conflicts import EarlierUse, Use, earlier_use
from .evidence import is_failed_page, reader_of, reports_error
from .operations import Behaviour, Operation, names_only
from .refusals import MAY_REFUSE, intermediary_in, is_of_provider, is_page_of_another


class Repeat(Enum):
    """Which requests may be sent again after a failure."""

    NEVER = "never"
    REPEATABLE = "repeatable"  # a safe method, or a key that makes a second one harmless
    ALWAYS = "always"  # the provider did not begin to work on it


class Failure(FrozenStruct, frozen=True):
    """An attempt without a good response."""

    error_class: type[errors.VictorError]
    what: str
    repeat: Repeat
    outcome: Outcome
    response: Response | None = None
    timed_out: bool = False
    cause: Exception | None = None
    # what the provider said of an earlier use of the key or the request
    earlier_use: EarlierUse | None = None
    is_proof: bool = False  # the response shows that the work was done, whatever its status says
    intermediary: str = ""  # who seems to have written a response that the provider did not write


# Raised before the first byte of the request is written: no connection exists yet.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_WHAT: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "no connection was established in time",
    httpx.PoolTimeout: "no connection of the pool became free in time",
    httpx.ReadTimeout: "no response arrived in time",
    httpx.WriteTimeout: "the request could not be sent in time",
    httpx.ConnectError: "no connection could be established",
    httpx.ProxyError: "the proxy refused the connection",
    httpx.ReadError: "the connection broke before the response was complete",
    httpx.WriteError: "the connection broke while the request was sent",
    httpx.RemoteProtocolError: "the connection broke before the response was complete",
    httpx.CloseError: "the connection broke",
}
_NO_TLS = "what listens there does not speak TLS: it takes http, or has another port"
_NO_MOCK = "No response can be found for "
"""How pytest-httpx says that no response was registered for a request; by a `TimeoutException`."""
_TRANSPORTS = frozenset({"httpcore", "httpx", __name__.partition(".")[0]})
"""Packages whose errors say what happened on a connection. Another one's class is that of a mock,
or of a transport of the caller's: nobody knows whether it would end otherwise the next time.
"""
_REFUSED_TUNNEL = re.compile(r"(?:^|: )4(?!08|25|29)[0-9]{2}\b")
"""A proxy's response to CONNECT that is the same the next time; asked again with a wrong password,
some lock the account.
"""


def of_exception(error: httpx.RequestError, *, may_have_been_sent: bool = False) -> Failure:
    """Classify an exchange that ended so.

    `may_have_been_sent`: even where the error says that nothing connected.
    """
    if isinstance(error, httpx.LocalProtocolError):
        return _of_own_mistake(error)
    text = _NO_TLS if "WRONG_VERSION_NUMBER" in str(error) else redact_excerpt(str(error))
    kind = next((kind for kind in type(error).__mro__ if kind in _WHAT), None)
    what = _WHAT[kind] if kind else "the exchange failed"
    if text:
        what += f" ({text})"
    timed_out = isinstance(error, httpx.TimeoutException)
    error_class = errors.TimedOut if timed_out else errors.ConnectionFailed
    repeat = Repeat.REPEATABLE
    outcome = Outcome.UNKNOWN
    if _is_unmatched(error):
        what = " ".join(map(redact_excerpt, str(error).splitlines()))  # the mock's own words
        outcome = Outcome.NOT_SENT
    elif isinstance(error, _NOT_SENT) and may_have_been_sent:
        what += ", and the request may have been sent before"
    elif isinstance(error, _NOT_SENT):
        outcome = Outcome.NOT_SENT
        repeat = Repeat.ALWAYS
    if _is_final(error):
        repeat = Repeat.NEVER
    # Without its traceback: the error lives longer than the exchange, and keeps nothing of it.
    cause = (kind or Exception)(text)
    if _is_untrusted(error):
        cause.__cause__ = ssl.SSLCertVerificationError(text)
    return Failure(error_class, what, repeat, outcome, timed_out=timed_out, cause=cause)


def _is_unmatched(error: httpx.RequestError) -> bool:
    """Whether a mock has no response for the request: nothing was sent."""
    return type(error) is httpx.TimeoutException and str(error).startswith(_NO_MOCK)


def _is_final(error: httpx.RequestError) -> bool:
    """Whether another attempt would end the same, or nobody knows how it would."""
    # A certificate that is not trusted now is not trusted at the next attempt.
    if _is_untrusted(error) or _is_unmatched(error):
        return True
    if isinstance(error, httpx.ProxyError) and _REFUSED_TUNNEL.search(str(error)):
        return True
    return type(error).__module__.partition(".")[0] not in _TRANSPORTS


def _of_own_mistake(error: httpx.LocalProtocolError) -> Failure:
    """This side broke the protocol, and would again. The text of the error is the value of a
    header.
    """
    what = "the request broke the protocol"
    outcome = Outcome.UNKNOWN
    if str(error).startswith("Illegal header"):
        what = "a header of the request cannot be sent"
        outcome = Outcome.NOT_SENT
    return Failure(errors.ConnectionFailed, what, Repeat.NEVER, outcome)


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, says that a certificate was not trusted.

    The class decides: macOS and Windows have other words than OpenSSL, in any language.
    """
    if error is None:
        return False
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if isinstance(error, httpx.RequestError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return True  # of a transport that does not name its cause
    return _is_untrusted(error.__cause__ or error.__context__)


def of_response(response: Response, behaviour: Behaviour, *, begun: bool = False) -> Failure | None:
    """Classify a whole response; None when it is good.

    `begun`: an earlier attempt may have begun the work.
    """
    row = behaviour.operations.of_attempt(response.request)
    status = response.status_code
    # A response with an error status may be a result of the call all the same.
    may_be_result = status >= 400 and row.results is not None and response.damage is None
    if 200 <= status < 300 or (may_be_result and row.results and row.results(response)):
        return _of_good_status(response, row, behaviour, begun=begun)
    if status < 400:
        return _of_redirect(response, behaviour)
    return _of_error_status(response, row, behaviour, begun=begun)


def _of_good_status(
    response: Response, row: Operation, behaviour: Behaviour, *, begun: bool
) -> Failure | None:
    is_whole = response.damage is None
    mismatch = row.mismatch(response) if is_whole else None
    refusal = None
    # A refusal of something else leaves open what became of this.
    if row.refuses is not None and is_whole and not mismatch:
        refusal = row.refuses(response)
    rejection = refusal and f"its body reports a rejection ({refusal})"
    if rejection and not _intermediary_of(response, row, behaviour):
        what = _but(response, rejection)
        used = _of_use(response, row, behaviour, what, begun=begun)
        return used or Failure(errors.BadRequest, what, Repeat.NEVER, Outcome.REJECTED, response)
    lack = response.damage or mismatch or rejection or row.evidence(response, behaviour.problems)
    complaint = None if lack else _complaint(response, row)
    wrong = lack or complaint
    if wrong is None:
        return None
    repeat = Repeat.NEVER if response.too_long else Repeat.REPEATABLE
    says_wrong = is_whole and (behaviour.problems(response) or reports_error(response))
    failure = of_unusable(response, wrong, repeat)
    if mismatch or complaint or rejection or says_wrong:
        # The status reports success; the body a failure, or the success of another request. Which
        # holds is unknown.
        what = _but(response, wrong)
        return replace(failure, what=what, repeat=Repeat.REPEATABLE, outcome=Outcome.UNKNOWN)
    if failure.outcome is Outcome.UNKNOWN and is_page_of_another(response):
        return replace(failure, intermediary=intermediary_in(response, behaviour.name))
    return failure


def _but(response: Response, wrong: str) -> str:
    return f"the response has status {response.status_code}, but {wrong}"


def _of_redirect(response: Response, behaviour: Behaviour) -> Failure:
    what = f"a redirect (status {response.status_code}) that is not followed"
    where = redact_excerpt(response.headers.get("location", "").partition("?")[0])
    if where:
        what += f" ({where})"
    return Failure(
        errors.StatusError,
        what,
        Repeat.NEVER,
        Outcome.UNKNOWN,
        response,
        intermediary=f"a redirect, not {behaviour.name}'s format",
    )


def _complaint(response: Response, row: Operation) -> str | None:
    """Why a good response is no success, or None.

    A record of a read may have errors of its own, an empty page not.
    """
    if row.reads:
        if row.items_of is None or row.items_of(response):
            return None
        return "its page is empty, and reports an error" if is_failed_page(response) else None
    if response.status_code >= 300 or not reports_error(response):
        return None
    if row.may_list_errors and row.may_list_errors(response):
        return None
    return "its body reports an error"


def of_unusable(response: Response, why: str, repeat: Repeat = Repeat.NEVER) -> Failure:
    """A response of this call that cannot be read. With an error status it may have been a
    rejection.

    A good status is evidence of the work only together with a member that the operation's document
    declares for a good response (see `Reader.is_evidence`): a login page, also one of JSON, and an
    empty body have a good status, too.
    """
    what = _but(response, why)
    outcome = Outcome.UNKNOWN
    if _has_evidence(response):
        what = (
            f"the provider accepted the request (HTTP {response.status_code}), but the response "
            f"could not be parsed: {why}"
        )
        outcome = Outcome.ACCEPTED
    return Failure(errors.UnreadableResponse, what, repeat, outcome, response)


def _has_evidence(response: Response) -> bool:
    reader = reader_of(response.request)
    if reader is None or response.status_code >= 300:
        return False
    return reader.is_evidence(response) and not reports_error(response)


def of_late(response: Response) -> Failure:
    """A good response that does not name what was requested, over a connection that had just been
    used.
    """
    what = _but(
        response,
        "does not name what was requested: it may be a second response to an earlier request on "
        "the same connection",
    )
    return Failure(errors.UnreadableResponse, what, Repeat.REPEATABLE, Outcome.UNKNOWN, response)


def _of_error_status(
    response: Response, row: Operation, behaviour: Behaviour, *, begun: bool
) -> Failure:
    status = response.status_code
    is_proof = row.was_done(response)  # the status refuses; the body has what a success has
    intermediary = "" if is_proof else _intermediary_of(response, row, behaviour)
    failure = Failure(
        _error_class_of(response, row, behaviour, intermediary),
        _said_by(response, row, intermediary),
        Repeat.NEVER,
        Outcome.UNKNOWN,
        response,
        intermediary=intermediary,
    )
    if status in errors.TRANSIENT_STATUSES:
        return replace(failure, repeat=Repeat.REPEATABLE)
    if status >= 500:
        return failure
    if not intermediary or status in (409, 423):
        used = _of_use(response, row, behaviour, failure.what, begun=begun)
        if used is not None:
            return replace(used, intermediary=intermediary)
    if is_proof:
        return replace(failure, repeat=Repeat.REPEATABLE, is_proof=True)
    if status == 429:  # the provider refuses before it works; whoever is in front of it may not
        by_provider = replace(failure, repeat=Repeat.ALWAYS, outcome=Outcome.REJECTED)
        return replace(failure, repeat=Repeat.REPEATABLE) if intermediary else by_provider
    is_refused = _is_refused(failure, response, row)
    return replace(failure, outcome=Outcome.REJECTED) if is_refused else failure


def _is_refused(failure: Failure, response: Response, row: Operation) -> bool:
    """Whether a response with another status from 400 to 499 refuses the request for good."""
    if response.status_code == 401:
        return True  # about the credentials, whoever looked at them
    if failure.intermediary or failure.error_class is errors.Conflict:
        return False  # a conflict is with something that exists
    if row.undecided is not None and row.undecided(response):
        return False
    return response.status_code in MAY_REFUSE


def _said_by(response: Response, row: Operation, intermediary: str) -> str:
    """What a response with an error status says, for a message."""
    what = f"status {response.status_code} {response.reason_phrase}".rstrip()
    if intermediary:
        what += f" ({intermediary})"
    body = excerpt(body_of(response)) if row.may_quote(response) else ""
    return f"{what}: {body}" if body else what


def _intermediary_of(response: Response, row: Operation, behaviour: Behaviour) -> str:
    """Who seems to have written a response with an error status; empty: the provider."""
    if row.is_secret:
        # The endpoint of tokens may be anybody's: its errors are objects.
        is_own = response.damage is None and is_object(json_of(response))
    else:
        table = behaviour.operations
        declared = table.declared_of(response.request)
        is_own = is_of_provider(response, table.errors, declared, behaviour.problems)
    return "" if is_own else intermediary_in(response, behaviour.name)


def _error_class_of(
    response: Response, row: Operation, behaviour: Behaviour, intermediary: str
) -> type[errors.VictorError]:
    status = response.status_code
    error_class = error_class_for(status)
    if intermediary and status in MAY_REFUSE:
        return errors.StatusError  # nobody knows what it is about
    if error_class is not errors.BadRequest or not row.unknown_id:
        return error_class
    is_unknown = names_only(behaviour.problems(response), row.unknown_id)
    return errors.NotFound if is_unknown else error_class


def _of_use(
    response: Response, row: Operation, behaviour: Behaviour, what: str, *, begun: bool
) -> Failure | None:
    """A refusal of a write because of an earlier use of the key or the request, which may be this
    call's; None for any other.
    """
    if row.reads or row.is_secret:
        return None
    earlier = earlier_use(response, behaviour.key_place)
    if earlier is None:
        return None
    use = earlier.use
    may_be_in_progress = use is Use.UNSAID and (begun or behaviour.waits_for_conflicts)
    repeat = Repeat.REPEATABLE if use is Use.IN_PROGRESS or may_be_in_progress else Repeat.NEVER
    return Failure(errors.Conflict, what, repeat, Outcome.UNKNOWN, response, earlier_use=earlier)


def may_repeat(failure: Failure, row: Operation, *, has_key: bool) -> bool:
    """Whether a request of an operation may be sent again after this failure."""
    if failure.repeat is Repeat.REPEATABLE:
        return has_key or row.reads
    return failure.repeat is Repeat.ALWAYS


_CLASS_BY_STATUS: dict[int, type[errors.StatusError]] = {
    400: errors.BadRequest,
    401: errors.AuthenticationError,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    409: errors.Conflict,
    422: errors.BadRequest,
    429: errors.RateLimited,
}


def error_class_for(status_code: int) -> type[errors.StatusError]:
    if status_code >= 500:
        return errors.ServerError
    return _CLASS_BY_STATUS.get(status_code, errors.StatusError)


_LISTED = 10
"""The most problems that a message lists; the error's `problems` has all of them."""


def error_for(
    failure: Failure,
    behaviour: Behaviour,
    request: httpx.Request,
    *,
    tries: int,
    retry_after: float | None,
    why: str,
) -> VictorError:
    """The error of a request that is given up, after `tries` of it.

    What holds of its whole call is set on it then.
    """
    response = failure.response
    row = behaviour.operations.of_attempt(request)
    problems: tuple[Problem, ...] = ()
    # A response to a request that holds a secret may repeat it, so it is not quoted. What proves
    # the work lists no problems, nor what somebody else wrote: the provider's shape of errors may
    # fit it by chance.
    if response is not None and not (row.is_secret or failure.is_proof or failure.intermediary):
        problems = tuple(behaviour.problems(response))
    sentences = [_what_happened(failure, behaviour, request, tries, problems, why)]
    if retry_after is not None:
        sentences.append(f"The provider asks for no other request within {retry_after:g} s.")
    if _is_about_credentials(failure, behaviour):
        sentences.append(behaviour.authentication_hint.replace("{host}", request.url.host))
    if failure.error_class is NotFound:
        sentences.append(row.not_found)
    error = failure.error_class(
        " ".join(filter(None, sentences)),
        request=request,
        response=response,
        request_id=request_id_of(response, behaviour),
        retry_after=retry_after,
        problems=problems,
    )
    error.intermediary = failure.intermediary or None
    if response is not None and error.body is not None:
        # The traceback keeps the response: one body in memory, not two.
        response.whole = error.body
    if isinstance(error, Conflict) and failure.earlier_use is not None:
        error.in_progress = failure.earlier_use.use is Use.IN_PROGRESS
        error.names_key = failure.earlier_use.names_key
    error.__cause__ = failure.cause
    return error


def _is_about_credentials(failure: Failure, behaviour: Behaviour) -> bool:
    """Whether the provider did not accept the credentials. A 401 says so, whoever wrote it."""
    status = None if failure.response is None else failure.response.status_code
    is_told = status == 401 or not failure.intermediary
    return status in behaviour.refused_credentials and is_told


def _what_happened(
    failure: Failure,
    behaviour: Behaviour,
    request: httpx.Request,
    tries: int,
    problems: tuple[Problem, ...],
    why: str,
) -> str:
    after = f" after {tries} attempts" if tries > 1 else ""
    what = failure.what
    if problems and failure.response is not None:
        status = failure.response.status_code
        is_reason = status < 400 or failure.error_class is errors.UnreadableResponse
        beginning = what if is_reason else f"status {status}"
        what = f"{beginning}: {_listed(problems)}"
    if failure.is_proof:
        what = f"{what.rstrip(' .')}, but the response has what only a request that was done has"
    cause = f"; {why}" if why else ""
    ended = (what.rstrip(" .") + cause).rstrip(" .")
    return (
        f"{request.method} {one_own_line(request.url.path)} at {behaviour.who(request)} "
        f"failed{after}: {ended}."
    )


def _listed(problems: tuple[Problem, ...]) -> str:
    sentences: list[str] = []
    for problem in problems[:_LISTED]:
        field = f"{redact_excerpt(problem.field)}: " if problem.field else ""
        sentences.append(field + problem.message)
    if len(problems) > _LISTED:
        sentences.append(f"and {len(problems) - _LISTED} more")
    return "; ".join(sentences)


def what_to_do(
    outcome: Outcome,
    key: str | None,
    request: httpx.Request,
    behaviour: Behaviour,
    *,
    conflict: bool = False,
    is_blocked: bool = False,
) -> str:
    """What the caller may do after the failure. Empty for a read, which may always be repeated."""
    row = behaviour.operations.of_attempt(request)
    if row.reads:
        return ""
    look = f"look {row.hint(request)}".rstrip()
    if row.proof is not None and row.proof.subject is not None:
        # What is found by a reference may be another program's.
        look = f"{look}, and compare its values and its time"
    step = outcome.next_step(
        None if key is None else f"idempotency_key={key!r}",
        look,
        conflict=conflict,
        is_blocked=is_blocked,
    )
    return f"{step} The response is in the error's `body`." if outcome is Outcome.ACCEPTED else step


def request_id_of(response: httpx.Response | None, behaviour: Behaviour) -> str | None:
    """The provider's id of the exchange, from the headers or the body of a response, or None."""
    if response is None:
        return None
    names = (name for name in behaviour.request_id_headers if name in response.headers)
    first = next(names, None)
    named = None if first is None else response.headers[first]
    if not named and behaviour.request_id_in_body is not None:
        named = behaviour.request_id_in_body(response)
    return named and one_line(named)
