"""Connections, and what httpx and httpcore are used for: no other room knows their transports."""
