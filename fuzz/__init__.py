"""A fuzz run: a great many odd requests, none of which may be the service's undoing."""
