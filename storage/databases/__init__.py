"""The two databases. Work is a function of a connection: kept whole or not at all.

Threads run it, and its caller gets the outcome after the commit. Nothing here knows a table.
"""
