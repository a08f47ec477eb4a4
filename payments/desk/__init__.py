"""What the desk reads and how it says it: sentences, timelines, numbers, exports. Nothing in here writes or calls."""
