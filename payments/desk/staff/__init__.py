"""Who works here, and the check of the ledger that they may run. No payment."""
