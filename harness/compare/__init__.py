"""Evidence to verdict: no I/O, no clock, no randomness."""
