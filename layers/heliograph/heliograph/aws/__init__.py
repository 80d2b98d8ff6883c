"""What is said to AWS: clients, tables, queues, timers, the bucket. No business word."""
