"""TinyPay, a payment system that does not exist."""
