"""Values, whoever they belong to: ids, times, words and exit statuses, and what an object shows."""
