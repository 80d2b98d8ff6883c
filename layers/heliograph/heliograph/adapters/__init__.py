"""What Heliograph says to AWS: one module per outside thing."""
