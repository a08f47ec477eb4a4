"""The portal's statements as staff see them: upload, lines, comparison. Matches nothing (reconciliation/)."""
