"""What an endpoint gets and how: signed requests to addresses that other people chose."""
