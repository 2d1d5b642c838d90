"""A Decision as CDS Hooks JSON: cards, suggestions and system actions."""
