"""The exit status of a command that the client's error ends, which scripts decide by."""

import pytest

from victor_ext import BadRequest, InvalidRequest, Outcome, RateLimited, VictorError
from victor_ext.cli.failures import exit_status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (VictorError("lost", outcome=Outcome.UNKNOWN), 3),
        (VictorError("not read", outcome=Outcome.ACCEPTED), 3),
        (InvalidRequest("its key cannot be read any more", outcome=Outcome.UNKNOWN), 3),
        (InvalidRequest("an argument is wrong"), 2),
        (BadRequest("refused", outcome=Outcome.REJECTED), 1),
        (RateLimited("too many", outcome=Outcome.REJECTED), 75),
    ],
)
def test_a_write_that_may_have_been_done_ends_with_3_whatever_the_error_is(
    error: VictorError, status: int
) -> None:
    assert exit_status_of(error, wrote=True) == status
