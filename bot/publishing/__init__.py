"""The static copy of a status page, which any file server can serve while the bot is down."""
