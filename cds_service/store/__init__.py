"""What is kept, without patient data: evaluated orders, feedback, codes in no map, used tokens."""
