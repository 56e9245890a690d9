"""Who takes the call: agents, presence, urgency, and the order in which phones ring."""
