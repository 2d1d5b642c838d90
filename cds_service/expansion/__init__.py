"""What a FHIR terminology server knows: value sets expanded to files, and single codes asked."""
