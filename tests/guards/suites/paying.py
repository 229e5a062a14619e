"""What the suites of users share: a client without `transport=`, and one payment, blocking and
awaited.
"""

import asyncio
import os
from datetime import UTC, datetime

from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt

URL = os.environ["PROVIDER_URL"]
CREATED = {"victor_payment_request_id": "from-the-mock", "status": "created"}
PAYMENT = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "c1",
    "amount": "44.23",
    "biller_type": "BUSINESS",
    "due_date": datetime.now(UTC).date(),
}
OPTIONS = {"base_url": URL, "deadline": 30.0, "retry": RetryPolicy(max_attempts=1)}


def credentials():
    return VictorJwt("key-1", sign=lambda _content: b"not a signature")


def create(**options):
    with Victor(credentials(), **OPTIONS, **options) as victor:
        return victor.payment_requests.create(**PAYMENT)


async def create_awaited(**options):
    async with AsyncVictor(credentials(), **OPTIONS, **options) as victor:
        return await victor.payment_requests.create(**PAYMENT)


def create_in_a_loop():
    return asyncio.run(create_awaited())


BOTH = [create, create_in_a_loop]
