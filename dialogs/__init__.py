"""What to say next: safety net, triage knowledge, Rasa project, keypad menu."""
