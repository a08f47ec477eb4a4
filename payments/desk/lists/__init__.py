"""What lists share: their rows, filters, search, pages, and the export of payments. No page of one row (pages.py)."""
