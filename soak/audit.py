"""Compares what every caller observed with the sandbox's own record."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from soak.observed import Observed, Payment
from victor_ext.sandbox import RemoteSandbox

_PAGE = 2000
_SHOWN = 20


@dataclass
class AuditResult:
    """What the audit found. `duplicates`, `lost` and `wrong` have a line for each case."""

    made: int = 0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the promise was kept."""
        return not (self.duplicates or self.lost or self.wrong)

    def lines(self) -> list[str]:
        """The first cases of each kind."""
        kinds = {"duplicate": self.duplicates, "lost": self.lost, "wrongly reported": self.wrong}
        return [f"{kind}: {case}" for kind, cases in kinds.items() for case in cases[:_SHOWN]]


def audit(sandbox: RemoteSandbox, observed: Observed, seed: int) -> AuditResult:
    """Compare. To be called when nothing is on its way any more."""
    found = AuditResult(wrong=[*observed.wrong])
    id_of = _made(sandbox, found)
    calls: defaultdict[int, list[int]] = defaultdict(list)
    for call in observed.words:
        calls[Payment(seed, call).number].append(call)
    for number, of_payment in calls.items():
        _judge(
            Payment(seed, number), [(observed.words[call], observed.ids.get(call)) for call in of_payment], id_of, found
        )
    asked = {Payment(seed, number).reference for number in calls}
    found.wrong += [f"{reference}: made, and nobody asked for it" for reference in id_of.keys() - asked]
    return found


def _made(sandbox: RemoteSandbox, found: AuditResult) -> dict[str, str]:
    """The id of the request of each reference; more than one of a reference or of a key is a duplicate."""
    work = sandbox.work_done_by_key()
    found.duplicates += [f"key {key}: {times} requests" for key, times in work.items() if times > 1]
    id_of: dict[str, str] = {}
    times: Counter[str] = Counter()
    offset = 0
    while page := sandbox.requests(offset, _PAGE):
        offset += len(page)
        for request in page:
            if request["direction"] == "outbound":
                times[request["client_reference_id"]] += 1
                id_of[request["client_reference_id"]] = request["id"]
    found.made = len(id_of)
    found.duplicates += [f"{reference}: {count} requests" for reference, count in times.items() if count > 1]
    return id_of


def _judge(payment: Payment, observed: list[tuple[str, str | None]], id_of: dict[str, str], found: AuditResult) -> None:
    """Compare one payment: all that its callers observed, and what exists."""
    words = {word for word, _ in observed}
    made = id_of.get(payment.reference)
    if made is None:
        if words & {"success", "accepted"}:
            found.lost.append(f"{payment.reference}: observed {sorted(words)}, and there is none")
        return
    if words <= {"rejected", "not_sent"}:
        found.wrong.append(f"{payment.reference}: observed {sorted(words)}, and it was made")
    for word, reported_id in observed:
        if word == "success" and reported_id != made:
            found.wrong.append(f"{payment.reference}: observed the id {reported_id}, and it is {made}")
