"""What a newer document changes of typed records and arguments, one line for each member.

Whether a change breaks is the comparison's to judge (`victor_spec.diff`). Here it is said of the
name that a caller knows.
"""

from .calls import news_of_calls
from .records import news_of_records

__all__ = ["news_of_calls", "news_of_records"]
