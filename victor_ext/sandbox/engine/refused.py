"""A refusal of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from victor_ext.sandbox.server.document import Problem


class Refused(ValueError):
    """A call is answered with an error. A command of the control API that raises it was misused.

    Args:
        status: Of the response.
        message: A sentence.
        field: The member or parameter that is wrong; empty: none alone.
        code: The provider's own word for it.
        problems: All that the document refuses in the request.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str = "",
        *,
        code: str = "",
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.code = code
        self.problems = problems
