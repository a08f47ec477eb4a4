"""From a paid order to the mix on the buyer's phone: signed links, files and pieces of them, all mixes in one zip.
Whether an order is paid, it takes from the order; how it came to be, it never knows."""

from orders.delivery.links import link_days
from orders.delivery.offered import Offer, archive_of, offered

__all__ = ("Offer", "archive_of", "link_days", "offered")
