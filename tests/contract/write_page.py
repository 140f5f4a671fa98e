"""Write the generated tables of docs/contract.md anew: ``python tests/contract/write_page.py``."""

from pathlib import Path

from layer7.contract import with_tables

PAGE = Path(__file__).parents[2] / "docs" / "contract.md"

if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
