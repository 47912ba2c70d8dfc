"""Invented people for all test data: the same number always gives the same person."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_NAMES = (
    "Ana", "Bastien", "Chloé", "Dimitri", "Élodie", "Farid", "Gaëlle", "Hugo", "Inès", "Jules",
    "Karim", "Léa", "Maëlle", "Noé", "Océane", "Paul", "Quentin", "Rosa", "Sofia", "Théo",
    "Ulysse", "Violette", "William", "Xénia", "Yanis", "Zoé",
)  # fmt: skip
LAST_NAMES = (
    "Arnaud", "Bernard", "Caron", "Dubois", "Évrard", "Fontaine", "Girard", "Haddad", "Imbert",
    "Joly", "Klein", "Lefèvre", "Martin", "Noël", "Olivier", "Petit", "Quéré", "Rousseau",
    "Simon", "Thomas", "Urbain", "Vidal", "Weber", "Yilmaz", "Zimmermann",
)  # fmt: skip
COMPANIES = (
    "Atelier Nord", "Banque du Lac", "Conserverie d'Armor", "Domaine Vert", "Éditions Quai",
    "Fonderie Rémy", "Groupe Solis", "Hôtel & Cie", "Imprimerie Basse", "Jardins du Roy",
)  # fmt: skip
FUNCTIONS = ("CEO", "CMO", "CTO", "Head of Sales", "Buyer", "Consultant", "Student")
STATES = ("new", "engaged", "accepted", "closed")
MAX_SCORE = 50


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person, independent of both systems."""

    number: int
    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    mobile: str
    function: str
    score: int
    state: str


def person(number: int) -> Person:
    """Return the person with this number (from 0): unique e-mail, always the same values."""
    rng = random.Random(number)  # noqa: S311  # invented people need no secrecy
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    return Person(
        number=number,
        email=f"person{number:07d}@example.com",
        first_name=first,
        last_name=last,
        company=rng.choice(COMPANIES),
        phone=f"+33 1 {number // 10000 % 100:02d} {number // 100 % 100:02d} {number % 100:02d} 00",
        mobile=f"+33 6 {rng.randrange(10**8):08d}",
        function=rng.choice(FUNCTIONS),
        score=rng.randrange(MAX_SCORE + 1),
        state=rng.choice(STATES),
    )
