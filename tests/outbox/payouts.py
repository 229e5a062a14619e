"""An outbox of payouts, and the sandbox of Velo that it sends to."""

from tests.outbox.kinds import Box
from tests.outbox.rows import change
from tests.providers.running import ONCE
from tests.providers.velo.adapter import pay
from victor_ext.outbox._entries import outbox_table

KEY = "the-key-of-the-march-payout"


class Payouts(Box):
    """An outbox of one kind whose client is one of Velo's."""

    table = outbox_table("victor_outbox")

    def __init__(self, kind, engine, harness):
        super().__init__(kind, engine, self._new_client)
        self.harness, self._engine = harness, engine
        self.settings = {"retry": ONCE}

    def _new_client(self, awaited):
        return self.harness.kinds[awaited](**{**self.harness.settings, **self.settings})

    def add(self, name, *args, key=KEY, **named):
        self._act("add_call", name, *args, idempotency_key=key, **named)

    def submit(self, *references, **named):
        """Add a payout of payments with these references, which the list of its payor shows."""
        payments = [*map(pay, references or ("INV-1042",))]
        look_up_by = {"payor_id": self.harness.payor}
        self.add("payouts.submit", payments, look_up_by=look_up_by, **named)

    def send(self):
        """One pass; the states and ids of what has come to a result."""
        return [(entry.state.value, entry.request_id) for entry in self._act("send")]

    def end_claims(self, **values):
        change(self, worker=None, due_at=0.0, **values)

    def state(self):
        (state,) = self.states()
        return state

    def error(self, row=0):
        """What is said of an entry."""
        return self.entries()[row].error or ""

    def lose(self, word, how="lose_answer", **options):
        """The next answer to such a call does not come, or the call does not arrive."""
        self.harness.sandbox.inject(how, operation=word, **options)

    def replace(self, word, status=403, **options):
        """A gateway answers the next such call with a page, after the provider did the work."""
        self.lose(word, "html", status=status, work=True, **options)

    def calls(self, word):
        return self.harness.calls(word)

    def wait_until_accepted(self, payout_id):
        self.harness(lambda velo: velo.payouts.wait(payout_id, until="ACCEPTED", timeout=30))
