"""Text to command: the table of verbs, and the help that is made from it. Pure."""
