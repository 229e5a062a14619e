"""Connections and transports. No other package here knows the transports of httpx, nor sockets."""
