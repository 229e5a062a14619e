"""Loads what pytester's runs in this process would load anew each time: a second copy of cryptography cannot work."""

from __future__ import annotations

import cryptography.hazmat.primitives.asymmetric.rsa
import cryptography.hazmat.primitives.serialization

import victor_ext.sandbox

LOADED = (cryptography, victor_ext.sandbox)
