"""The desk's first page: what needs a person, what was taken, what is wrong. Writes nothing."""
