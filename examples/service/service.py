"""A service with invoices: it stores each one with its request for payment, sends that, and learns
who has paid.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from victor_ext import AsyncVictor, VictorError, idempotency_key_for
from victor_ext.asgi import error_response
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.prometheus import Prometheus

DATABASE_URL = os.environ.get(
    "DATABASE_URL", "sqlite+aiosqlite:///invoices.sqlite"
)  # or postgresql+psycopg://...
PAYEE_ACCOUNT = os.environ.get("PAYEE_ACCOUNT", "043987673645")


class Base(DeclarativeBase): ...


class Invoice(Base):  # what is known of its payment is in the outbox, under its key
    __tablename__ = "invoices"
    number: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))
    counterparty: Mapped[str] = mapped_column(sa.String(16))
    due_date: Mapped[date]


class NewInvoice(BaseModel, from_attributes=True):
    number: int = Field(ge=1)
    amount: Decimal = Field(gt=0, max_digits=12, decimal_places=2)
    counterparty: str
    due_date: date


class StoredInvoice(NewInvoice):
    payment: str  # the provider's status, or the outbox's state until there is one
    paid: bool
    error: str | None


def create_app(
    victor: AsyncVictor | None = None, database_url: str = DATABASE_URL, interval: float = 2.0
) -> FastAPI:
    """The service, with a client from the environment if none is given; `interval` seconds pass
    between two passes.
    """
    metrics = Prometheus(registry=CollectorRegistry())
    client = victor or AsyncVictor.from_env(on_event=metrics)
    engine = create_async_engine(database_url)
    outbox = AsyncOutbox(engine)
    # A blocking one counts the entries; the awaited one has the worker, which the probes ask about.
    counting = sa.create_engine(database_url.replace("+aiosqlite", ""))
    metrics.watch(Outbox(counting))
    metrics.watch(outbox)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await outbox.create_table()
        async with client, outbox.worker(client, interval=interval):
            yield
        await engine.dispose()
        counting.dispose()

    app = FastAPI(title="Invoices", lifespan=lifespan)
    app.add_exception_handler(VictorError, error_response)
    app.add_api_route("/health", lambda: {"status": "alive"})

    @app.post("/invoices", status_code=201)
    async def create_invoice(new: NewInvoice) -> StoredInvoice:
        with suppress(IntegrityError):  # it is posted again, such as after an answer that was lost
            async with AsyncSession(engine) as session, session.begin():
                session.add(Invoice(**new.model_dump()))
                await session.flush()
                await outbox.add(
                    session,
                    payee_account_number=PAYEE_ACCOUNT,
                    payer_counterparty_id=new.counterparty,
                    amount=new.amount,
                    biller_type="BUSINESS",
                    due_date=new.due_date,
                    client_reference_id=f"INV-{new.number}",
                    idempotency_key=idempotency_key_for("invoice", new.number),
                )
        stored = await read_invoice(new.number)
        if any(getattr(stored, name) != value for name, value in new):
            raise HTTPException(409, f"There is another invoice {new.number}.")
        return stored

    @app.get("/invoices/{number}")
    async def read_invoice(number: int) -> StoredInvoice:
        async with AsyncSession(engine) as session:
            invoice = await session.get(Invoice, number)
        entry = await outbox.entry(idempotency_key_for("invoice", number))
        if invoice is None or entry is None:
            raise HTTPException(404, f"There is no invoice {number}.")
        return StoredInvoice(
            **dict(NewInvoice.model_validate(invoice)),
            payment=entry.status or entry.state,
            paid=entry.status == "completed",
            error=entry.error,
        )

    app.mount("/ops", metrics.asgi_app)  # /ops/metrics, /ops/livez and /ops/readyz
    return app
