"""FHIR R4 JSON to the core's findings, charts and orders."""
