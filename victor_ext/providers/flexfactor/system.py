"""What the rest of the package asks about FlexFactor."""

from victor_ext.systems import System

SYSTEM = System(
    name="flexfactor",
    title="FlexFactor",
    client="victor_ext.providers.flexfactor.client:FlexFactor",
    async_client="victor_ext.providers.flexfactor.client:AsyncFlexFactor",
    book="victor_ext.providers.flexfactor.book:book_of",
    settings=("environment", "hosts", "base_url", "mid", "site_id", "app_key", "app_secret", "token"),
    lists="orders",
)
