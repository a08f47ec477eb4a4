"""What every list of the desk shares: search, filters, pages, export. Nothing about one kind of row."""
