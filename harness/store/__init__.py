"""Recordings, plans and samples on disk: streamed, digested, renamed when whole."""
