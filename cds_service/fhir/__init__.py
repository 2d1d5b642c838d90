"""Reads FHIR R4 JSON as findings, charts and orders of the core, and fetches it."""
