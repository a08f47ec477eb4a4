"""Pages of a list without a count: quick at a million rows. No list here."""

from typing import Any

from unfold import paginator


# named as its parent: unfold looks for that name to leave out "9999999999 results"
class InfinitePaginator(paginator.InfinitePaginator):
    """Reads one row more than a page holds, so that the last page knows that it is the last."""

    template_name = "desk/pager.html"
    has_more = False

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        self.has_more = len(rows) > self.per_page
        return self._get_page(rows[: self.per_page], number, self)
