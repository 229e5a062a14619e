"""Values, whoever they belong to: ids, times, words, exit statuses; and what an object shows."""
