"""What any payment API needs of its client.

Nothing here knows a provider: what differs is in a `Behaviour`.
"""
