"""Asks a FHIR terminology server: expands value sets into files, and looks up single codes."""
