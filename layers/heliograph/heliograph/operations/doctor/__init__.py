"""Is a deployment well? What the doctor looks at, and what it sends through the stack to simulators."""
