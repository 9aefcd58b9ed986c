"""Serves status pages from bytes that are kept until something public changes."""
