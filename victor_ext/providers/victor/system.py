"""What the rest of the package asks about Victor."""

from victor_ext.systems import System

SYSTEM = System(
    name="victor",
    title="Victor",
    client="victor_ext.providers.victor.client:Victor",
    async_client="victor_ext.providers.victor.client:AsyncVictor",
    book="victor_ext.providers.victor.book:book_of",
    settings=(
        "environment",
        "base_url",
        "client_id",
        "client_secret",
        "api_key",
        "private_key",
        "private_key_file",
        "private_key_password",
        "bulk_key",
    ),
    lists="payment requests",
    credentials="victor_ext.providers.victor.settings:credentials_in",
    bulk=True,
)  # fmt: skip
