"""Who may call: clients, their tokens and keys, and tokens that were used before."""
