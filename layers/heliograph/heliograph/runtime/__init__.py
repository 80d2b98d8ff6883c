"""What wires the domain to the adapters inside a function: settings, clients, queues, logs."""
