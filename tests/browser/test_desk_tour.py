"""The pages that no task leads to, looked at all the same: by day and by night, at a desk and on a phone."""

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look
from tests.support.browser.people import Desk
from tests.support.browser.tabs import Tabs

LISTS = ("payments/mpesatransaction", "payments/handsettlement", "payments/statementline", "orders/mix")


def test_every_page_looks_right(tabs: Tabs, demo: Demo) -> None:
    kraph = Desk(tabs, demo)
    for each in LISTS:
        name = each.split("/")[1]
        kraph.page.goto(f"{demo.desk}{each}/")
        look(kraph.page, f"tour-{name}")
        if kraph.found.count():  # alone, this test has no statement and no settlement to look at
            kraph.page.goto(f"{demo.desk}{each}/")
            kraph.open_first()
            look(kraph.page, f"tour-{name}-page")
    kraph.page.goto(f"{demo.desk}orders/mix/add/")
    look(kraph.page, "tour-new-mix")
    kraph.page.goto(f"{demo.desk}auth/user/add/")
    look(kraph.page, "tour-new-member")
    kraph.page.goto(f"{demo.desk}password_change/")
    look(kraph.page, "tour-password")
