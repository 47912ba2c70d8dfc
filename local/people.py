"""Invented people, the same for every tool that needs some: a number always gives one person."""

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
HIGHEST_SCORE = 50


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person, in nobody's words yet."""

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
    """Return the person of this number (0 and up): unique e-mail, stable for ever."""
    chance = random.Random(number)  # noqa: S311  # invented people need no secrecy
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    return Person(
        number=number,
        email=f"person{number:07d}@example.com",
        first_name=first,
        last_name=last,
        company=chance.choice(COMPANIES),
        phone=f"+33 1 {number // 10000 % 100:02d} {number // 100 % 100:02d} {number % 100:02d} 00",
        mobile=f"+33 6 {chance.randrange(10**8):08d}",
        function=chance.choice(FUNCTIONS),
        score=chance.randrange(HIGHEST_SCORE + 1),
        state=chance.choice(STATES),
    )
