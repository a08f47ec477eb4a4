"""`make bench`: what the shop does in a second, each figure beside its own yardstick. Never a test with a clock."""
