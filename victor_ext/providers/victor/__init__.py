"""Victor: requests for payment over RTP and FedNow."""
