"""Seatrial: recorded traffic replayed against two builds, and a verdict.

Importing this package imports nothing else; `harness.trial` is where to start reading.
"""
