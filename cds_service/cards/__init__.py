"""Writes decisions as CDS Hooks JSON: cards, suggestions and system actions."""
