"""A safe client for the Victor instant-payments API."""
