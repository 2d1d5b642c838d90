"""What the service would have said of past orders: a FHIR Bulk Data export in, a report out."""
