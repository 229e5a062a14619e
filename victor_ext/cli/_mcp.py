"""`victor mcp`: software that asks for money by itself, through the Model Context Protocol.

`victor mcp` serves its host on standard input and output (`_mcp_server.py`). `victor mcp allow`
says what may be asked for (`_mcp_policy.py`).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import typer

import victor_ext
from victor_ext._privacy import short_mask
from victor_ext._user_files import make_user_folder, user_file

from ._failures import Misuse
from ._options import KEYS_KEPT, Yes, decimal, not_negative, number, option, seconds
from ._outbox import engine_of, errors_as_misuse, opened_queue, storage_key
from ._session import Session, with_session

if TYPE_CHECKING:
    from ._mcp_policy import Policy

_NOT_ALLOWED = (
    "Nobody has permitted requests yet: a person runs 'victor mcp allow'. Until then only "
    "find_payments answers."
)
mcp = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


class McpSession(Session):
    """The options of both commands: the account, and the outbox of its requests."""

    database: str | None = option(
        "The database of the outbox (default: the file ~/.local/state/victor/mcp.sqlite).", "URL"
    )
    table: str = option("The name of its table, or schema.name.", "NAME", default="victor_outbox")

    @property
    def database_url(self) -> str:
        """The database that is named, or the default one."""
        return self.database or f"sqlite:///{user_file('mcp.sqlite')}"

    def open_policy(self, keys_kept: float | None) -> Policy:
        """Open the outbox, whose keys the provider keeps for so many seconds, as was said, with
        what is permitted. Raises `Misuse` while that is nothing.
        """
        from ._mcp_policy import Policy  # noqa: PLC0415 - an extra of its own

        try:
            with opened_queue(self.database_url, self.table, keys_kept) as (box, _):
                policy = Policy(engine_of(self.database_url), box)
                if policy.exists():
                    return policy
        except Misuse as error:
            raise Misuse(f"{_NOT_ALLOWED} {error}") from error
        raise Misuse(_NOT_ALLOWED)


@mcp.callback()
@with_session
def serve(
    session: McpSession,
    *,
    keys_kept: float | None = option(KEYS_KEPT, "TIME", parser=seconds),
    interval: float = option(
        "Seconds between two passes of the worker, which sends what is stored.",
        "SECONDS",
        parser=number(0.01),
        default=5.0,
    ),
) -> None:
    """Let an agent ask for money, once for each invoice.

    It serves the Model Context Protocol on standard input and output until its host closes them.
    'victor mcp allow' says what may be asked for; without that, it only reads.
    """
    context = session.context
    if context.invoked_subcommand is not None:
        sources = map(context.get_parameter_source, context.params)
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise Misuse(f"Write the options after {context.invoked_subcommand!r}.")
        return
    try:
        from ._mcp_server import Server  # noqa: PLC0415 - an extra of its own
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    with session.client() as victor:
        Server(session, victor, lambda: session.open_policy(keys_kept), interval).run()


@mcp.command()
@with_session
def allow(
    session: McpSession,
    *,
    payee_account_number: str = option("The account that receives.", "TEXT", default=...),
    biller_type: str = option("BUSINESS or CONSUMER.", "TEXT", default=...),
    payer: list[str] = option("A counterparty that may be asked. Repeat it.", "ID", default=...),
    payment_limit: Decimal = option(
        "The most that one request asks for.", "USD", parser=decimal, default=...
    ),
    day_limit: Decimal = option(
        "The most that all requests of a day in UTC ask for.",
        "USD",
        parser=not_negative,
        default=...,
    ),
    yes: Yes = False,
) -> None:
    """Say what an agent may ask for through 'victor mcp'.

    It holds for these credentials and this environment, and replaces what was said before;
    --day-limit 0 permits nothing. It makes the tables of the outbox, unless they exist.
    """
    from victor_ext.outbox import Outbox  # noqa: PLC0415 - an extra of its own

    from ._mcp_policy import Allowed, Policy  # noqa: PLC0415 - the same

    with session.client() as victor:
        for counterparty in payer:
            victor_ext.check_payment_request(
                payee_account_number=payee_account_number,
                biller_type=biller_type,
                payer_counterparty_id=counterparty,
                amount=str(payment_limit),
                due_date=victor.provider_time().moment.date(),
            )
        if 0 < day_limit < payment_limit:
            raise Misuse(f"--payment-limit {payment_limit} is above --day-limit {day_limit}.")
        masked = short_mask(payee_account_number)
        text = (
            f"{', '.join(payer)} may be asked for up to {payment_limit} USD each, {day_limit} USD "
            f"a day, to be paid to {masked}, {session.environment_text(victor)}."
        )
        session.confirm(victor, lambda: text, yes=yes, otherwise="Nothing was permitted.")
        allowed = Allowed(
            payee_account_number, biller_type, payer, str(payment_limit), str(day_limit)
        )
        with errors_as_misuse():
            engine = engine_of(session.database_url)
            if session.database is None:  # only its owner can read what is made here
                file = Path(str(engine.url.database))
                make_user_folder(file)
                file.touch(mode=0o600)
            box = Outbox(engine, victor, table=session.table, storage_key=storage_key())
            box.create_table()
            policy = Policy(engine, box)
            box.claim(victor)
            policy.allow(allowed)
    session.conclude({**allowed._asdict(), "payee_account_number": masked}, text)
