"""The clinical core: a case and a topic go in, a decision comes out.

Nothing in this package knows FHIR, HTTP, files, the clock or randomness; it imports the
standard library and itself only. The day that counts as today is an argument.
"""
