"""Taking away: withdrawals, removals of bytes before their time, and the record of both."""
