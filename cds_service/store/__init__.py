"""What is kept, without patient data: decisions, what became of them, and used tokens."""
