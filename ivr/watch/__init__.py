"""What can be seen of running calls from outside: figures, spans, log lines, a live table. No personal data in any."""
