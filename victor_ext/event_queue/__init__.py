"""Events that are stored in the user's own database, and handled once: what the outbox and the inbox have in common."""
