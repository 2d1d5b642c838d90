"""What an operator wants to know before the first call, and why a token is refused."""
