"""The page docs/contract.md is held to the models."""

from pathlib import Path

from layer7.contract import INTERFACES, contract_page, with_tables

PAGE = Path(__file__).parents[2] / "docs" / "contract.md"


def test_the_page_has_the_tables_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, (
        "docs/contract.md differs from the models; run: .venv/bin/python tests/contract/write_page.py"
    )


def test_every_interface_has_a_table_and_every_link_a_place() -> None:
    page = contract_page()
    headings = {line.removeprefix("### ").lower() for line in page.splitlines() if line.startswith("### ")}
    assert {name.lower() for name in INTERFACES} <= headings
    links = {part.split(")", 1)[0] for part in page.split("](#")[1:]}
    assert links <= headings
