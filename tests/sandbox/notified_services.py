"""A service that receives Velo's notifications with an inbox, of FastAPI or of Django.

It is a process that is killed and started again, over one SQLite file:
`python -m tests.sandbox.notified_services fastapi`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import django
import sqlalchemy as sa
import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from victor_ext import AuthenticationError, VictorError
from victor_ext.asgi import error_response
from victor_ext.inbox import AsyncInbox, InboxEvent
from victor_ext.providers.velo import AsyncVelo, Velo, VeloAuth, Webhook

FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT, reference TEXT, status TEXT)"
ADD = "INSERT INTO facts VALUES ('{0}', '{1}', '{2}')"
READ = "SELECT name, reference, status FROM facts ORDER BY rowid"


def setting(name: str) -> str:
    return os.environ[f"SERVICE_{name}"]


def fact(event: InboxEvent) -> str:
    """What a handler keeps: the event, and what Velo said of the payment just now."""
    return ADD.format(event.name, event.record.payor_payment_id, event.record.status)


def fastapi_service() -> FastAPI:
    engine = create_async_engine(f"sqlite+aiosqlite:///{setting('DATABASE')}")
    auth = VeloAuth(setting("KEY"), setting("SECRET"))
    velo = AsyncVelo(auth, base_url=setting("VELO"))
    inbox = AsyncInbox(engine, Webhook(setting("HEADER")), client=velo)

    @inbox.on()
    def told(session: Session, event: InboxEvent) -> None:
        session.execute(sa.text(fact(event)))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await inbox.create_table()
        async with engine.begin() as connection:
            await connection.execute(sa.text(FACTS))
        async with velo:
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_exception_handler(VictorError, error_response)

    @app.post("/webhooks/{payor_id}")
    async def receive(payor_id: str, request: Request) -> Response:
        async with AsyncSession(engine) as session, session.begin():
            await inbox.receive(session, await request.body(), request.headers, source=payor_id)
        return Response()

    @app.post("/work/{payor_id}")
    async def work(payor_id: str) -> dict[str, Any]:
        await inbox.handle()
        async with engine.connect() as connection:
            facts = (await connection.execute(sa.text(READ))).all()
        gaps = await inbox.gaps(payor_id, after=0)
        return {"facts": [[*row] for row in facts], "gaps": [[*gap] for gap in gaps]}

    return app


def django_service() -> Any:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": setting("DATABASE")}
        },
        INSTALLED_APPS=["victor_ext.inbox.django"],
        ROOT_URLCONF=__name__,  # `__main__`
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from victor_ext.inbox.django import DjangoInbox

    velo = Velo(VeloAuth(setting("KEY"), setting("SECRET")), base_url=setting("VELO"))
    inbox = DjangoInbox(Webhook(setting("HEADER")), client=velo)
    with connections["default"].cursor() as cursor:
        cursor.execute(FACTS)

    @inbox.on()
    def told(using: str, event: InboxEvent) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute(fact(event))

    @csrf_exempt
    def receive(request: HttpRequest, payor_id: str) -> HttpResponse:
        try:
            with transaction.atomic():
                inbox.receive(request.body, request.headers, source=payor_id)
        except VictorError as error:
            return HttpResponse(status=401 if isinstance(error, AuthenticationError) else 400)
        return HttpResponse()

    @csrf_exempt
    def work(_request: HttpRequest, payor_id: str) -> HttpResponse:
        inbox.handle()
        with connections["default"].cursor() as cursor:
            cursor.execute(READ)
            facts = cursor.fetchall()
        gaps = inbox.gaps(payor_id, after=0)
        return JsonResponse({"facts": [[*row] for row in facts], "gaps": [[*gap] for gap in gaps]})

    urlpatterns[:] = [
        path("webhooks/<str:payor_id>", receive),
        path("work/<str:payor_id>", work),
    ]
    return get_wsgi_application()


urlpatterns: list[Any] = []
"""Those of Django, which looks for them in this module."""


def main(kind: str) -> None:
    port = int(setting("PORT"))
    if kind == "fastapi":
        uvicorn.run(fastapi_service(), port=port, log_level="warning")
    else:
        uvicorn.run(django_service(), port=port, log_level="warning", interface="wsgi")


if __name__ == "__main__":
    main(sys.argv[1])
