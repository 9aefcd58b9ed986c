"""Deliveries: outbox messages on their way to readers. Nothing else posts to a channel."""
