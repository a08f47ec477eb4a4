"""What tests share. A test imports helpers from here, never from another test."""
