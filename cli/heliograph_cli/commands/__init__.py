"""The commands, a module for each noun: they read the command line, ask, and answer."""
