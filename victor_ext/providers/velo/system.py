"""What the rest of the package asks about Velo."""

from victor_ext.systems import System

SYSTEM = System(
    name="velo",
    title="Velo",
    client="victor_ext.providers.velo.client:Velo",
    async_client="victor_ext.providers.velo.client:AsyncVelo",
    book="victor_ext.providers.velo.book:book_of",
    settings=("environment", "base_url", "api_key", "api_secret"),
    needs_payor=True,
    lists="source accounts",
)
