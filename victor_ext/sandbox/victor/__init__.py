"""Victor: requests for payment over the instant rails."""
