"""What any payment API needs of its client: attempts, keys, outcomes, tokens, pages.

Nothing here knows a provider. What differs between providers (where the key goes, which token
endpoint, which error shapes, which statuses are final) is in a `Behaviour`.
"""
