"""The texts of the console in English and French, and the choice between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from connector.console.texts import (
    general,
    mapping,
    overview,
    people,
    records,
    review,
    runs,
    settings,
)

LANGUAGES: Final = ("en", "fr")
"""The first one is shown where a browser asks for none of them."""
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    **general.TEXTS,
    **overview.TEXTS,
    **runs.TEXTS,
    **review.TEXTS,
    **people.TEXTS,
    **mapping.TEXTS,
    **settings.TEXTS,
    **records.TEXTS,
}
"""Every text by its key, in the order of `LANGUAGES`: no text can lack a translation."""
THOUSANDS: Final[Mapping[str, str]] = {"en": ",", "fr": "\N{NARROW NO-BREAK SPACE}"}
"""What stands between the thousands of a number (Unicode CLDR)."""
MAX_HEADER_CHARACTERS: Final = 500


class Texts:
    """The texts in one language; a page calls it with a key."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)

    def __call__(self, key: str, /, **values: object) -> Markup:
        """Return a text; the values in it are escaped. Raises `KeyError` for an unknown key."""
        ours = TEXTS[key][self._place]
        return Markup(ours).format(**values)  # noqa: S704  # nosec B704  # no text of users

    def count(self, key: str, number: int, /, **values: object) -> Markup:
        """Return the text for a number: `key.one` or `key.other`. French counts 0 as one."""
        is_one = number == 1 or (number == 0 and self.language == "fr")
        return self(f"{key}.{'one' if is_one else 'other'}", **{"n": number, **values})

    def number(self, number: int) -> str:
        """Return a whole number as the language writes it, its thousands apart."""
        return f"{number:,}".replace(",", THOUSANDS[self.language])

    def sentence(self, text: str) -> str:
        """Return a sentence of the connector in the language; any other text as it is."""
        if self.language != "fr":
            return text
        # Imported at first use: an English page needs none of it.
        from connector.console.texts.messages import in_french  # noqa: PLC0415

        return in_french(text)

    def known(self, key: str, fallback: object) -> Markup | str:
        """Return a text, or the fallback where there is none: a code of another system."""
        return self(key) if key in TEXTS else str(fallback)


def choose_language(chosen: str, accepted: str) -> str:
    """Return the chosen language, else the first that a browser accepts (RFC 9110, 12.5.4)."""
    if chosen in LANGUAGES:
        return chosen
    for part in accepted[:MAX_HEADER_CHARACTERS].split(","):
        name = part.partition(";")[0].strip().partition("-")[0].lower()
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]
