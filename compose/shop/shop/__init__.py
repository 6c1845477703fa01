"""The demo shop: a small service with a bug that only concurrent customers meet."""
