"""A payment as staff see it: its page, its story, what may be pressed. Decides nothing (manual/)."""
