"""The service under slow and silent clients, with nginx before it and without; see run.py."""
