"""What people were told, and whether it reached them. Tells nobody (alerts/)."""
