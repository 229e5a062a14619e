"""The base classes of clients and resources, and what they share."""
