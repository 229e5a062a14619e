"""What a 202 says in its headers, and in nothing else."""

from __future__ import annotations

from typing import Any

from victor_ext.errors import Outcome, UnreadableResponse

from .profile import created_id
from .records import Receipt


def receipt_of(answer: Any) -> Receipt:
    """The receipt from the headers of an answer.

    Raises:
        UnreadableResponse: They do not say what was made; it was accepted all the same.
    """
    made = created_id(answer)
    if made is None:
        raise UnreadableResponse("Velo took it into work, and did not say as what.", outcome=Outcome.ACCEPTED)
    wait = str(answer.headers.get("retry-after", "")).strip()
    # Velo's document has whole seconds here; a date would be another thing to get wrong, and is left alone.
    seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) <= 6 else None
    return Receipt(made, str(answer.headers["location"]), seconds)
