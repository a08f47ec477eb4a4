"""Daraja's other half, for the shop itself: Transaction Status, Reversal, Account Balance, Pull, C2B (daraja.md 6)."""
