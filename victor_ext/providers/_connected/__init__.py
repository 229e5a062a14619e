"""Any payment API that has an OpenAPI document: its generated package on the runtime.

See docs/connect-reference.md.
"""
