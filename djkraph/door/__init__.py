"""The door of the web: granian's interface (RSGI) before Django's WSGI handler. The loop reads each body, with a cap
and a deadline, so that slow senders hold no thread; then Django answers in a pool of its kind, so that no kind takes
another's threads. Knows no order, no payment, no setting: only which addresses are slow ones."""

from djkraph.door.door import Door
from djkraph.door.kinds import Kind, Sizes, kind_of

__all__ = ("Door", "Kind", "Sizes", "kind_of")
