"""What Ratchet costs, measured against raw SQL, a bare server and a Bolt that does nothing."""
