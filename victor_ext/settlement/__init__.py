"""What becomes of a payment request that was asked for: one logic, without input and output, for every durable sender.

`settle` is a generator, as the attempt loop is: it yields the calls to make. Bulk sending drives it with threads on
DBOS; the outbox with blocking and with awaited calls on SQLAlchemy, and on Django.

    arguments   what is stored of the arguments of `create`, so that the same bytes are sent later
    key_age     when a payment may first have been sent, and why its key must not be sent again
    flow        the steps from a claim to a result, and which request of the provider's is which payment's
"""
