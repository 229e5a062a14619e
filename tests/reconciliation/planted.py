"""A sandbox of Victor with requests, and a book of ours that differs from it in known ways."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.bulk.bulk_runs import write_csv
from tests.payments import payment
from victor_ext import Victor, VictorOAuth, zulu


class Planted:
    """The sandbox's requests, our rows, and what has to be found."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.victor = Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url)
        self.rows = []
        self.expected = Counter()
        self.start = self.now() - timedelta(hours=1)
        self.end = self.now() + timedelta(hours=2)
        self.window = {"start": self.start, "end": self.end}

    def now(self):
        return datetime.fromtimestamp(self.sandbox.clock()["now"], UTC)

    def ask(self, reference, payer="ignoresRfp", **options):
        more = {"due_date": self.now().date(), "client_reference_id": reference, **options}
        return self.victor.payment_requests.create(**payment(payer_counterparty_id=payer, **more))

    def ours(self, kind, reference, amount="44.23", **cells):
        self.expected[kind] += 1
        row = {"client_reference_id": reference, "amount": amount, "currency": "USD", **cells}
        self.rows.append(row)

    def plant(self):
        """Many that match, and some of each kind of difference."""
        for n in range(40):
            self.ask(f"INV-{n}")
            self.ours("matched", f"INV-{n}")
        for n in range(5):
            self.ours("missing", f"MISSING-{n}", key=f"key-of-a-missing-one-{n}")
            for name in ("ONLY-THEIRS", "AMOUNT", "CURRENCY"):
                self.ask(f"{name}-{n}")
            self.ours("differs", f"AMOUNT-{n}", "44.24")
            self.ours("differs", f"CURRENCY-{n}", currency="EUR")
        self.ours("unchecked", "", key="key-of-one-without-a-reference")
        self.ask("TWICE-OURS")
        for kind in ("matched", "repeated"):
            self.ours(kind, "TWICE-OURS")
        for n in range(3):
            for _ in range(2):
                self.ask(f"TWICE-{n}")
            self.ours("matched", f"TWICE-{n}")
        self.expected += Counter(only_theirs=5, duplicate=3, at_edge=1)
        request = self.ask("MODIFIED", payer="aHeq349838", amount_modification_allowed=True)
        self.sandbox.advance(60)
        twin = self.victor.payment_requests.wait(request.id, until="pending", timeout=5).child_id
        self.victor.payment_requests.accept(twin, notes="Less.", modified_amount="40.00")
        self.ours("modified", "MODIFIED")
        self._plant_at_the_edges()

    def _plant_at_the_edges(self):
        """Two hours later: the end of the window is near, and then it is past."""
        self.sandbox.advance((self.end - self.now()).total_seconds() - 120)
        self.ask("NEAR-THE-END")
        self.sandbox.advance(240)
        for reference in ("JUST-AFTER", "OF-THE-NEXT-BOOK"):
            self.ask(reference)
        self.ours("matched", "JUST-AFTER", at=zulu.format(self.end - timedelta(milliseconds=100)))
        self.sandbox.advance(3600)
        self.ours("matched", "AN-HOUR-LATE", id=self.ask("AN-HOUR-LATE").id)
        next_day = zulu.format(self.end + timedelta(days=1))
        self.rows.append({"client_reference_id": "NEXT-DAY", "amount": "1", "at": next_day})

    def write(self, path, rows=None):
        return write_csv(path, self.rows if rows is None else rows)
