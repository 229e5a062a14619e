"""Tests of `victor_ext._runtime`; `fakes` has the clock and the network that they run on."""
