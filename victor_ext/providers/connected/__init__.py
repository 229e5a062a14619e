"""Any payment API that has an OpenAPI document: its generated package on the runtime. See docs/add-a-payment-api.md.

from bank_api.client import Client
from victor_ext import BearerAuth, HeaderKey, connect

with connect(Client, base_url="https://api.bank.example", auth=BearerAuth(token), key=HeaderKey()) as bank:
    list_cards.sync(client=bank.api)
"""
