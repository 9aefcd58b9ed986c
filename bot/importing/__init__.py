"""The reader of other status pages, for `ratchet import`."""
