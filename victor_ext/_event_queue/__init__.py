"""A queue of events in the user's own database, each handled once: what outbox and inbox have in
common.

Read `queue` first, then `handlers` and `events`. Below them are `transactions` (the steps of a
pass, and their blocking and awaited drivers), `workers` (which make passes), `calls` (several calls
at once), `databases` (clock, tables, failover) and `rows`.
"""
