"""A long run that tries to break the promise: `python -m soak`.

Many workers create requests for payment through a proxy that fails one exchange in five. Then what every
caller observed is compared with the sandbox's own record: nothing may be there twice, nothing that was promised may be
missing, and nothing that was reported may be untrue.
"""
