"""A stand-in for Safaricom's Daraja: a separate program. It imports nothing of ours, nothing of ours imports it."""
