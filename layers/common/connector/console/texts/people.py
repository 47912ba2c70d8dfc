"""Texts of the search and of the page of a person."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "people.lead": (
        "Find a person, see both sides, and why each value is what it is.",
        "Trouvez une personne, voyez les deux côtés, et pourquoi chaque valeur est ce qu'elle est.",
    ),
    "people.search": (
        "E-mail, name, or the id of a record",
        "E-mail, nom, ou identifiant d'un enregistrement",
    ),
    "people.find": ("Find", "Chercher"),
    "people.unknown": (
        "No person was found. Check the e-mail; a new person is known after the next run.",
        (
            "Personne n'a été trouvé. Vérifiez l'e-mail ; une nouvelle personne est "
            "connue après la "
            "prochaine synchronisation."
        ),
    ),
    "people.found.one": ("{n} person found", "{n} personne trouvée"),
    "people.found.other": ("{n} people found", "{n} personnes trouvées"),
    "people.not_linked": ("not synchronized", "non synchronisée"),
    "people.incomplete": (
        "There may be more: type more of the name.",
        "Il y en a peut-être d'autres : précisez le nom.",
    ),
    "people.hint": (
        "The search is not part of the address of the page, so it is in no log.",
        "La recherche ne figure pas dans l'adresse de la page, donc dans aucun journal.",
    ),
    "person.in_step": ("in step", "synchronisée"),
    "person.apart": ("the systems differ", "les systèmes diffèrent"),
    "person.apart_text": (
        (
            "{fields}: an undo put the former value back only where it had been overwritten. To "
            "have it everywhere, edit it in the other system."
        ),
        (
            "{fields} : l'annulation a remis l'ancienne valeur seulement là où elle avait été "
            "écrasée. Pour l'avoir partout, modifiez-la dans l'autre système."
        ),
    ),
    "person.held.one": ("{n} conflict", "{n} conflit"),
    "person.held.other": ("{n} conflicts", "{n} conflits"),
    "person.refused": ("a write was refused", "une écriture a été refusée"),
    "person.waits": ("waits for the next run", "attend la prochaine synchronisation"),
    "person.sync": ("Synchronize now", "Synchroniser maintenant"),
    "person.open": ("Open in {system}", "Ouvrir dans {system}"),
    "person.as_example": (
        "Use as the example in the mapping",
        "Utiliser comme exemple dans les correspondances",
    ),
    "person.decide": ("which value is right?", "quelle valeur est juste ?"),
    "person.timeline": ("What happened, and why", "Ce qui s'est passé, et pourquoi"),
    "person.timeline_viewer": (
        "The newest change first. An operator can undo the last one of a field.",
        "La modification la plus récente d'abord. La dernière d'un champ peut être annulée.",
    ),
    "person.timeline_text": (
        "The newest change first. The last one of a field can be undone if nobody edited it since.",
        (
            "La modification la plus récente d'abord. La dernière d'un champ peut être annulée, si "
            "personne n'a modifié la valeur depuis."
        ),
    ),
    "person.no_history": (
        "The connector has changed nothing of this person.",
        "Le connecteur n'a rien modifié pour cette personne.",
    ),
    "person.which_run": ("See the run", "Voir la synchronisation"),
    "person.undo": ("Undo the change of {label}…", "Revenir à l'ancienne valeur de {label}…"),
    "person.values": ("Both sides", "Les deux côtés"),
    "person.values_text": (
        "The value of each system, and the one on which both agreed last.",
        "La valeur de chaque système, et celle sur laquelle les deux se sont accordés.",
    ),
    "person.agreed": ("Agreed", "Accord"),
    "person.edited": ("edited since", "modifié depuis"),
    "person.unread": ("not read", "non lu"),
    "person.why_held": ("A person must decide.", "Une personne doit décider."),
    "person.why_equal": (
        "Both sides were equal from the start.",
        "Les deux côtés étaient égaux dès le début.",
    ),
    "person.why_new": ("Not compared yet.", "Pas encore comparé."),
    "person.records": ("Records", "Enregistrements"),
    "person.in_log": ("In the logs of the workers:", "Dans les journaux des traitements :"),
    "person.read_at": ("read", "lu le"),
    "person.deleted": ("deleted", "supprimé"),
    "person.converted": ("converted", "convertie"),
    "person.filtered": ("does not pass the filter", "exclu par le filtre"),
    "person.privacy": ("Stored data of this person", "Données stockées de cette personne"),
    "person.privacy_text": (
        "What the connector stores. Plezi and Salesforce are not changed by it.",
        "Ce que le connecteur stocke. Plezi et Salesforce n'en sont pas modifiés.",
    ),
    "person.export": ("Export as a file", "Exporter dans un fichier"),
    "person.erase": ("Erase…", "Effacer…"),
    "record.contact": ("Plezi contact", "Contact Plezi"),
    "record.Lead": ("Lead", "Piste"),
    "record.Contact": ("Contact", "Contact"),
    "erase.title": ("Erase this person from the connector", "Effacer cette personne du connecteur"),
    "erase.text": (
        "This is removed, and the person does not come back by itself:",
        "Ceci est supprimé, et la personne ne revient pas d'elle-même :",
    ),
    "erase.names": ("Stored under", "Stocké sous"),
    "erase.remaining": ("What is left elsewhere", "Ce qui reste ailleurs"),
    "erase.days.one": ("{n} day", "{n} jour"),
    "erase.days.other": ("{n} days", "{n} jours"),
    "erase.confirm": ("Erase for good", "Effacer définitivement"),
    "erase.done": ("The person is erased", "La personne est effacée"),
    "erase.done_text": (
        "Nothing of this person is left in the tables of the connector.",
        "Il ne reste rien de cette personne dans les tables du connecteur.",
    ),
    "erase.part": ("The erasure is not complete", "L'effacement n'est pas terminé"),
    "erase.part_text": (
        "The tables are large: erase the person again to go on.",
        "Les tables sont volumineuses : effacez à nouveau pour continuer.",
    ),
}
