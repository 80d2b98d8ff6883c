"""May a message go to a person, on which channel, when?"""
