"""What became of the advice: the figures that a committee asks for, from the store."""
