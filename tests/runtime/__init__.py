"""Tests of `victor_ext.runtime`; `fakes` has the clock and the network that they run on."""
