"""A great many odd requests, none of which may break what the service promises."""
