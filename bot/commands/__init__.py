"""The commands of ``ratchet``: arguments, help and output; the work is done elsewhere.

Each command imports inside its function: importing all of Ratchet takes more than two seconds, and
`ratchet --version` or `ratchet keys list` need little of it.
"""
