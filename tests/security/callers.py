"""A client of either mode whose calls return what they raise, and what it asks for."""

from uuid import uuid4

from tests.payments import payment
from tests.providers.running import Running
from tests.security.secrets import ACCOUNT
from victor_ext import AsyncVictor, RetryPolicy, Victor


class Caller(Running):
    """A sync or async client. A call returns its result, or the exception that it raises."""

    def __init__(self, mode, auth, **options):
        self.events = []
        options = {
            "retry": RetryPolicy(base=0.0, max_attempts=2),
            "on_event": self.events.append,
            **options,
        }
        awaited = mode == "async"
        super().__init__(
            lambda: (AsyncVictor if awaited else Victor)(auth, **options),
            awaited=awaited,
            debug=True,
        )

    def __call__(self, method, **arguments):
        return self.run(getattr(self.client.payment_requests, method), **arguments)

    def run(self, call, *given, **arguments):
        """Its result, or the exception that it raises."""
        try:
            return self.result(lambda: call(*given, **arguments))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be looked at
            return error

    def authorization(self):
        return self.result(self.client.authorization)


def new_payment(**changes):
    """The arguments of a `create` that was not made before."""
    known = {"payee_account_number": ACCOUNT, "idempotency_key": str(uuid4())}
    return payment(**{**known, **changes})


def asked(sandbox):
    """A request that we are asked to pay, to and from the account."""
    return sandbox.create_inbound("10.00", payer_account=ACCOUNT, payee_account=ACCOUNT)
