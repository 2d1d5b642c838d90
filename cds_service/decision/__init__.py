"""The medicine: facts in, decision out.

Nothing in this package knows FHIR, HTTP, files, the clock or randomness; it imports the
standard library and itself only. What day it is comes in as an argument.
"""
