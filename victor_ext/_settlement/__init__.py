"""What becomes of a write that was asked for: one logic, without input and output, for every
durable sender.

`settle` is a generator, as the attempt loop is: it yields the calls to make. The outbox drives it
with blocking and with awaited calls on SQLAlchemy, and on Django.
"""
