"""Text messages between the two sides of a binding."""
