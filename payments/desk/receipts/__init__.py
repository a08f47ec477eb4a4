"""A receipt as staff see it: where its kes_of went, and on whose word. Moves none (ledger/)."""
