"""`add` and `add_call`: a write is checked now, and stored in the transaction of the caller.

First come the two operations, then the row that they store, then the checks of their arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from types import MappingProxyType, ModuleType
from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import (
    InvalidRequest,
    PaymentRequestArguments,
    PreparedCall,
    Promise,
    Victor,
    VictorOAuth,
    check_payment_request,
)
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.rows import delete_rows
from victor_ext._event_queue.transactions import Box, connection_of, in_session
from victor_ext._settlement.key_age import Now
from victor_ext._values.ids import reference_of

from ._digests import difference, reference_digest
from ._engine import OutboxEngine
from ._entries import (
    CREATE,
    VICTOR,
    payment_references,
    refusal,
    stored_reference,
    waiting_values,
)
from ._passes import AnyClient, required_client
from ._scope import Scope
from ._sealing import ClearRow, clear_row, require_secret, sealed_values

_NAMES_TAKEN = frozenset({"call", "since", "read_from"})
"""Names of arguments of a client's `look_up` that the worker passes: no value of `look_up_by` may
have such a name.
"""


@cache
def preparer() -> Victor:
    """A client of Victor's without credentials, to check and prepare calls: it sends nothing."""
    return Victor(VictorOAuth("no-client-id", "no-client-secret"))


class Adding(Box):
    """Stores new entries."""

    client: AnyClient | None
    references: sa.Table
    _parts: OutboxEngine
    _scope: Scope

    @in_session
    def add(
        self, session: Session | Connection, **arguments: Unpack[PaymentRequestArguments]
    ) -> bool:
        """Store a request in your transaction. It is sent after the commit, and discarded by a
        rollback.

        The arguments are those of `payment_requests.create`. `client_reference_id` (your reference,
        such as the number of the invoice) and `idempotency_key` are required, too. The same
        arguments under the same key are stored once.

        Args:
            session: Your session or connection.
                It is an async one for `AsyncOutbox`. `DjangoOutbox` takes none.

        Returns:
            Whether it was stored now. False: the outbox had it.

        Raises:
            InvalidRequest: An argument is invalid, the key or the reference is missing, or the key
                was used for other arguments (a problem with the code `used`).
            ConfigurationError: `session` is an engine.
            django.db.transaction.TransactionManagementError: Of `DjangoOutbox`, without an open
                transaction.
        """
        key = arguments.get("idempotency_key")
        _require(key, "client_reference_id", arguments.get("client_reference_id"))
        client = self.client
        if client is None or client.provider != VICTOR:
            client = preparer()
        call = _prepare_call(client, CREATE, args=(), kwargs=dict(arguments), key=key)
        # `prepare` lets a due date pass that is over, since the call may repeat an older one. Only
        # a call that is new is refused for its due date.
        check = partial(check_payment_request, **arguments)
        return self._add(session, call, new_entry(call, client, key), check)

    @in_session
    def add_call(
        self,
        session: Session | Connection,
        operation: str | ModuleType | Callable[..., Any],
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Store any write of the client's in your transaction. It is checked now, and its bytes are
        sent later.

        With a key that the operation takes, it is sent again under that key while the provider
        keeps it. Without one it is sent at most once, and then looked up until `settle_for` has
        passed.

        Args:
            session: As for `add`.
            operation: A method of the client (`"payouts.instruct"`), or a generated operation: its
                module (`create_payout`) or one of the module's functions (`create_payout.sync`).
            args: The arguments of the method or of the generated function; so are `kwargs`.
            idempotency_key: The key of the entry, and of the request, if the operation takes one.
                It fills the argument that a generated function has for it, whatever it is called.
            at_most_once: Accept that it is not known after a lost response whether it was done: no
                key is taken, and no read shows it.
            send_before: The moment, aware and to come, from which it is not sent any more: it is
                `refused` then.
            look_up_by: What its look-up needs and the request does not have, such as
                `{"payor_id": payor_id}`.

        Returns:
            As of `add`.

        Raises:
            InvalidRequest: An argument is invalid; the key was used for another call (a problem
                with the code `used`); it has the number or the code of a card; or nothing could be
                promised after a lost response: the problem names what to pass.
            ConfigurationError: The outbox has no client, the client has no such operation, the
                entries belong to another account or environment, or `session` is an engine.
            django.db.transaction.TransactionManagementError: As for `add`.
        """
        client = required_client(self.client)
        values = _look_up_values(look_up_by, idempotency_key)
        call = _prepare_call(client, operation, args=args, kwargs=kwargs, key=idempotency_key)
        if not at_most_once:
            _check_promise(call, idempotency_key, values, client)
        latest = _epoch_seconds(send_before, idempotency_key)

        def check() -> None:
            """Refuse a call that would never be sent."""
            now = Now.of(client)  # the clock by which the worker will decide, too
            if latest is not None and latest <= now.by_provider():
                message = "send_before has passed: nothing would be sent."
                raise refusal(idempotency_key, "send_before", "past", message)

        new = new_entry(call, client, idempotency_key, values, latest)
        return self._add(session, call, new, check)

    def _add(
        self,
        session: Session | Connection,
        call: PreparedCall,
        new: ClearRow,
        check: Callable[[], object],
    ) -> bool:
        """Store a call as a new entry, unless the outbox has the same call under its key. Returns
        whether it was stored.

        `check` is called for a new call alone, and may raise `InvalidRequest`. So does another call
        under a key that the outbox has.
        """
        connection = connection_of(session, self)
        if self.client is not None and self.client.provider == new.provider:
            self._scope.require(connection, self.client, adds=True)
        vault = self._parts.vault
        row = session.execute(sa.select(self.table).where(self.table.c.key == new.key)).first()
        if row is None:
            check()
            require_secret(vault, connection, self.table)
            self._parts.holding.life.begin(connection)
            now = {"stored_at": DatabaseTime(), "changed_at": DatabaseTime()}
            values = {**sealed_values(vault, vars(new)), **now}
            session.execute(sa.insert(self.table).values(values))
            digests = map(reference_digest, sorted(payment_references(call)))
            rows = [{"digest": digest, "key": new.key} for digest in digests]
            if rows:
                # Somebody may have deleted an earlier entry with this key by hand.
                delete_rows(session, self.references, self.references.c.key == new.key)
                session.execute(sa.insert(self.references), rows)
            return True
        other = difference(clear_row(vault, row), new)
        if other is not None:
            message = (
                f"{new.key} is in the outbox with {other}. For the same "
                "payment, keep the key, and pass what is stored or leave it out: under another key "
                "it would be asked for twice."
            )
            raise refusal(new.key, "idempotency_key", "used", message)
        return False


def new_entry(
    call: PreparedCall,
    client: AnyClient,
    key: str | None,
    look_up_by: Mapping[str, str] = MappingProxyType({}),
    send_before: float | None = None,
) -> ClearRow:
    """The entry of a prepared call, with the values of all its columns but the times. The
    references of its payments have a table of their own.

    Raises `InvalidRequest` (of `to_text`): the call has what must not be stored, such as the number
    of a card.
    """
    return ClearRow(
        key=key,
        provider=client.provider,
        operation=call.name,
        reference=stored_reference(call.subject) if call.subject else key,
        call=call.to_text(),
        look_up_by=json.dumps(dict(look_up_by), sort_keys=True),
        send_before=send_before,
        **waiting_values(),
    )


def _epoch_seconds(send_before: object, key: str) -> float | None:
    """The epoch seconds of `send_before`. Raises `InvalidRequest` unless that is an aware
    datetime.
    """
    if send_before is None:
        return None
    if not isinstance(send_before, datetime) or send_before.utcoffset() is None:
        message = (
            "send_before is no aware datetime, but naive or none at all: write "
            "datetime(..., tzinfo=UTC)."
        )
        raise refusal(key, "send_before", "naive", message)
    return send_before.timestamp()


def _require(key: str | None, field: str, value: object) -> None:
    """Raise `InvalidRequest` if a key or a reference is missing or blank: without the one no write
    can be repeated, without the other none can be found.
    """
    if reference_of(value):
        return
    fault = "missing" if value is None else "blank"
    message = f"{field} is {fault}: without it no repeat is safe."
    raise refusal(key, field, "required", message)


def _check_promise(
    call: PreparedCall, key: str, look_up_by: Mapping[str, str], client: AnyClient
) -> None:
    """Raise `InvalidRequest` for a call that could be neither repeated nor looked up after a crash.

    The message names what the caller has to pass, here or to the client.
    """
    if call.promise is Promise.KEYED:
        return
    needed = call.look_up_needs or ()
    if not set(needed) <= set(look_up_by):
        argument = f"look_up_by={{{', '.join(f'{name!r}: ...' for name in needed)}}}"
        message = (
            f"After a lost response, {call.name} is looked up, and its look-up needs more: "
            f"pass {argument}."
        )
        raise refusal(key, "look_up_by", "required", message)
    if call.promise is not Promise.AT_MOST_ONCE:
        return
    if call.untaken_key:
        message = (
            f"The document says that {call.name} takes a key, and the client was not told of it: "
            f"pass key={call.untaken_key} to connect."
        )
        raise refusal(key, "idempotency_key", "untaken", message)
    message = (
        f"{call.name} has no key, and no read of {client.provider}'s shows whether it was "
        "done. After a lost response "
        "it is not sent again, and a person has to look: pass at_most_once=True to accept that."
    )
    # A client that `connect` made, whose reads the caller can declare.
    if hasattr(client, "paged"):
        message += (
            " If a read shows it, say so to the client: "
            f"connect(rows={{{call.operation!r}: OperationRow(proof=Proof(find))}})."
        )
    raise refusal(key, "at_most_once", "required", message)


def _prepare_call(
    client: AnyClient,
    operation: Any,
    *,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    key: str | None,
) -> PreparedCall:
    """Check the arguments of an operation, and return its call, which sends this key.

    Raises `InvalidRequest`, with the key, so that the caller knows which entry was refused.
    """
    _require(key, "idempotency_key", key)
    try:
        call: PreparedCall = client.prepare(operation, *args, **{**kwargs, "idempotency_key": key})
    except InvalidRequest as error:
        error.idempotency_key = key
        raise
    return call


def _look_up_values(look_up_by: object, key: str | None) -> dict[str, str]:
    """The checked `look_up_by` of `add_call`. Raises `InvalidRequest` now, since nobody could
    correct it when the look-up comes to be made, after a crash.
    """
    if look_up_by is None:
        return {}
    values: dict[Any, Any] = {**look_up_by} if isinstance(look_up_by, Mapping) else {0: ""}
    for name, value in values.items():
        is_name = isinstance(name, str) and name not in _NAMES_TAKEN
        if not is_name or not isinstance(value, str) or not reference_of(value):
            message = (
                "look_up_by must have texts that the look-up needs, by their names, and none of "
                "them blank: write {'payor_id': payor_id}."
            )
            raise refusal(key, "look_up_by", "value", message)
    return values
