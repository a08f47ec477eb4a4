"""One day of the shop in numbers: its page, its figures, its text. Nothing of a single payment."""
