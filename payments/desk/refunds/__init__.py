"""A refund as staff see it: from recorded to seen on the statement. Records none (manual/)."""
