"""What Heliograph decides: values in, values out; no AWS, clock, environment or randomness."""
