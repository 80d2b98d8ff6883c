"""Reading and spelling: ids, addresses, languages, files, and the bounds on what is read."""
