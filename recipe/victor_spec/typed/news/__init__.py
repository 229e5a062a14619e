"""What a newer document changes of typed records and arguments, one line for each member.

Whether a change breaks is the comparison's to judge (`victor_spec.diff`). Here it is said of the
name that a caller knows.
"""

from .bodies import news_of_bodies
from .lists import news_of_lists
from .records import news_of_records

__all__ = ["news_of_bodies", "news_of_lists", "news_of_records"]
