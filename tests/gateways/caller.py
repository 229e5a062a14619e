"""A sandbox, and a client of it through a gateway."""

from tests.providers.systems import ADAPTERS


class Caller:
    """A client of a system that calls its sandbox through a gateway."""

    def __init__(self, system, sandbox, gateway):
        self.adapter = ADAPTERS[system]
        self.harness = self.adapter.Harness(sandbox, awaited=False)
        self.sandbox, self.gateway = sandbox, gateway
        settings = self.harness.settings
        settings["base_url"] = settings["base_url"].replace(sandbox.url, gateway.url)
        if system == "eastpay":
            settings["inquiry_by_reference"] = True

    def client(self):
        return self.adapter.Harness.kinds[0](**self.harness.settings)

    def payments(self):
        """How often the sandbox has made each payment, by its reference."""
        made = self.sandbox.work_done_by_reference()
        return {reference: times for reference, times in made.items() if times}
