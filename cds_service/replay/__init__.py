"""Fixtures replayed: a request, what counts as today, and the answer that is expected."""
