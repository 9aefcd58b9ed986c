"""Values to Block Kit: every payload that Slack shows is made here, and only here. Pure."""
