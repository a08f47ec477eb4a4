"""What the documents say of the code is what the code says."""

from payments.api.errors import STATUS
from payments.management.commands.payment_states import diagram
from tests.support.places import ROOT


def test_the_drawing_of_the_states_is_the_table() -> None:
    assert diagram() in (ROOT / "docs" / "states.md").read_text()


def test_the_readme_names_every_code() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [code for code in STATUS if f"`{code}`" not in readme] == []


def test_every_page_the_readme_links_to_is_there() -> None:
    import re

    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
