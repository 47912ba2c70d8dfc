"""Generate the OpenAPI document of the admin API from its code: `make openapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from functions.admin.app import app
from functions.admin.openapi import document

FILE: Final = Path("docs/openapi.json")


def main() -> None:
    """Write the file with sorted keys, for small diffs."""
    text = json.dumps(document(app), indent=2, sort_keys=True, ensure_ascii=False)
    FILE.write_text(text + "\n", encoding="utf-8")
    print(f"{FILE}: {len(text):,} characters")


if __name__ == "__main__":
    main()
