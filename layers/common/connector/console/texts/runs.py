"""Texts of the runs, of the journal and of previews."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "runs.lead": (
        "Every synchronization and every preview. What a synchronization did can be undone.",
        "Synchronisations et aperçus. Ce qu'une synchronisation a fait peut être annulé.",
    ),
    "runs.lists": ("Lists of runs", "Listes de synchronisations"),
    "runs.all": ("Runs", "Synchronisations"),
    "runs.forms": ("Forms", "Formulaires"),
    "runs.preview": ("Preview the next run", "Prévisualiser la prochaine"),
    "runs.when": ("Requested", "Demandée"),
    "runs.kind": ("Kind", "Type"),
    "runs.state": ("State", "État"),
    "runs.people": ("People", "Personnes"),
    "runs.written": ("Records written", "Enregistrements écrits"),
    "runs.duration": ("Duration", "Durée"),
    "runs.empty": ("No run yet.", "Aucune synchronisation pour l'instant."),
    "run_kind.changes": ("Changes", "Modifications"),
    "run_kind.full": ("Full run", "Synchronisation complète"),
    "run_kind.selected": ("Selected people", "Personnes choisies"),
    "run_kind.dry_run": ("Preview", "Aperçu"),
    "run_kind.form": ("Form", "Formulaire"),
    "run_kind.undo": ("Undo", "Annulation"),
    "run_kind.verify": ("Verification", "Vérification"),
    "run_state.requested": ("waits", "en attente"),
    "run_state.running": ("in progress", "en cours"),
    "run_state.done": ("complete", "terminée"),
    "run_state.halted": ("stopped", "arrêtée"),
    "run_state.failed": ("failed", "échouée"),
    "run_state.not_started": ("synchronization is not started", "synchronisation non démarrée"),
    "run_state.paused": ("paused until calls are left", "en pause, appels épuisés"),
    "run.begins": ("It begins in a moment.", "Elle commence dans un instant."),
    "run.progress": (
        "{finished} of {listed} people are done.",
        "{finished} personnes sur {listed} sont traitées.",
    ),
    "run.left": ("About {seconds} seconds are left.", "Il reste environ {seconds} secondes."),
    "run.progress_label": ("Progress of the run", "Avancement"),
    "run.live": ("This page follows the run.", "Cette page suit l'exécution."),
    "run.refresh": ("Refresh", "Actualiser"),
    "run.finished": ("Finished", "Terminée"),
    "run.mapping": ("Mapping version", "Version des correspondances"),
    "run.draft": ("draft", "brouillon"),
    "run.to_person": ("Back to the person", "Retour à la personne"),
    "run.newer_run": ("That run", "Cette synchronisation"),
    "run.undoes": ("The run that is undone", "La synchronisation annulée"),
    "run.verification": ("Result of the verification", "Résultat de la vérification"),
    "run.verified": (
        (
            "{people} people and {fields} fields were compared; {unexplained} fields "
            "differ without a "
            "known cause."
        ),
        (
            "{people} personnes et {fields} champs ont été comparés ; {unexplained} "
            "champs diffèrent "
            "sans cause connue."
        ),
    ),
    "run.repair": ("Repair these differences", "Réparer ces différences"),
    "run.counts": ("Numbers", "Chiffres"),
    "run.counter": ("Counter", "Compteur"),
    "count.seen": ("read", "lus"),
    "count.changed": ("changed", "modifiés"),
    "count.unchanged": ("unchanged", "inchangés"),
    "count.created": ("created", "créés"),
    "count.updated": ("updated", "mis à jour"),
    "count.held": ("held for a decision", "en attente de décision"),
    "count.quarantined": ("refused", "refusés"),
    "count.overwritten": ("overwritten values", "valeurs écrasées"),
    "count.skipped.no_email": ("without an e-mail", "sans e-mail"),
    "run.journal": ("What it did", "Ce qu'elle a fait"),
    "run.filter_kind": ("What", "Quoi"),
    "run.filter_side": ("Where", "Où"),
    "run.filter_field": ("Field", "Champ"),
    "run.person": ("Person", "Personne"),
    "run.what": ("What", "Quoi"),
    "run.field": ("Field", "Champ"),
    "run.change": ("Change", "Modification"),
    "run.why": ("Why", "Pourquoi"),
    "run.no_entry_yet": ("No value is changed yet.", "Aucune valeur n'est encore modifiée."),
    "run.no_entry": ("It changed no value.", "Elle n'a modifié aucune valeur."),
    "run.no_entry_found": (
        "No entry matches the filter.",
        "Aucune entrée ne correspond au filtre.",
    ),
    "run.undo": ("Undo this run", "Annuler cette synchronisation"),
    "run.undo_text": (
        "The former values are put back where nobody changed them since. You see all of it first.",
        (
            "Les anciennes valeurs sont remises là où personne ne les a modifiées "
            "depuis. Vous voyez "
            "tout d'abord."
        ),
    ),
    "run.undo_preview": ("Show what an undo would do…", "Voir ce que ferait l'annulation…"),
    "journal.written": ("written", "écrit"),
    "journal.overwritten": ("overwritten", "écrasé"),
    "journal.held": ("held", "en attente"),
    "journal.refused": ("refused", "refusé"),
    "journal.duplicate": ("several Leads", "plusieurs pistes"),
    "journal.not_undone": ("left as it is", "laissé tel quel"),
    "journal.drift": ("differs", "diffère"),
    "rule.refused": ("Refused by the system: {code}", "Refusé par le système : {code}"),
    "rule.agreed": ("Both sides had the same value.", "Les deux côtés avaient la même valeur."),
    "rule.changed": (
        "It was edited on the other side, and copied here.",
        "Modifié de l'autre côté, et recopié ici.",
    ),
    "rule.changed.plezi": (
        "It was edited in Salesforce, and copied to Plezi.",
        "Modifié dans Salesforce, et recopié dans Plezi.",
    ),
    "rule.changed.salesforce": (
        "It was edited in Plezi, and copied to Salesforce.",
        "Modifié dans Plezi, et recopié dans Salesforce.",
    ),
    "rule.joined": (
        "A new record took the value of the others.",
        "Un nouvel enregistrement a pris la valeur des autres.",
    ),
    "rule.enforced": (
        "Plezi's value is always written here.",
        "La valeur de Plezi est toujours écrite ici.",
    ),
    "rule.one_way": (
        "The field goes in one direction only: the edit here gave way.",
        "Le champ va dans un seul sens : la saisie ici a cédé.",
    ),
    "rule.edited": (
        "It was edited after the conflict, which ended it.",
        "Modifié après le conflit, ce qui l'a terminé.",
    ),
    "rule.contact_wins": (
        "The value of the Salesforce Contact is kept.",
        "La valeur du contact Salesforce est gardée.",
    ),
    "rule.newest": (
        "Both sides changed it: the newest edit won.",
        "Modifié des deux côtés : la saisie la plus récente l'emporte.",
    ),
    "rule.plezi_wins": (
        "Both sides changed it: Plezi wins by the mapping.",
        "Modifié des deux côtés : Plezi l'emporte selon la correspondance.",
    ),
    "rule.salesforce_wins": (
        "Both sides changed it: Salesforce wins by the mapping.",
        "Modifié des deux côtés : Salesforce l'emporte selon la correspondance.",
    ),
    "rule.fill_blank": ("An empty value was filled.", "Une valeur vide a été remplie."),
    "rule.most_restrictive": (
        "An opt-out on one side counts on both.",
        "Un refus d'un côté vaut des deux côtés.",
    ),
    "rule.oldest_lead": (
        "Several Leads met for the first time: the oldest won.",
        "Plusieurs pistes se rencontrent : la plus ancienne l'emporte.",
    ),
    "rule.held": ("It waits for a decision.", "En attente d'une décision."),
    "rule.chosen": ("A person chose this value.", "Une personne a choisi cette valeur."),
    "rule.undone": (
        "A change was undone: the former value was put back.",
        "Une modification a été annulée : l'ancienne valeur est remise.",
    ),
    "rule.placeholder": (
        "Salesforce needs a value and Plezi has none: the placeholder was written.",
        "Salesforce exige une valeur et Plezi n'en a pas : la valeur par défaut est écrite.",
    ),
    "rule.repeated": (
        "The answer to a write was lost: it was written again.",
        "La réponse à une écriture a été perdue : elle est refaite.",
    ),
    "rule.in_doubt": (
        "The answer to a write was lost.",
        "La réponse à une écriture a été perdue.",
    ),
    "rule.no_change": ("Nothing was written.", "Rien n'a été écrit."),
    "rule.conflict": (
        "Both sides changed the field: a person decides.",
        "Modifié des deux côtés : une personne décide.",
    ),
    "rule.never_agreed": (
        "The pair is new, and both sides have a value: a person decides.",
        "Nouvelle correspondance, deux valeurs : une personne décide.",
    ),
    "rule.email_taken": (
        "The new e-mail belongs to another person.",
        "Le nouvel e-mail appartient à une autre personne.",
    ),
    "rule.email_in_use": (
        "Another person still has the new e-mail.",
        "Une autre personne a encore le nouvel e-mail.",
    ),
    "rule.write_loop": (
        "Another automation replaces the value again and again.",
        "Une autre automatisation remplace sans cesse la valeur.",
    ),
    "rule.changed_since": (
        "Somebody changed it since the run: the newer value stays.",
        "Modifié depuis : la valeur plus récente reste.",
    ),
    "rule.newer_run": (
        "A later run wrote the field: undo that run first.",
        "Une synchronisation ultérieure a écrit le champ : annulez-la d'abord.",
    ),
    "rule.created": (
        "The run created the record: nothing is ever deleted.",
        "La synchronisation a créé l'enregistrement : rien n'est jamais supprimé.",
    ),
    "rule.opt_out": (
        "An opt-out is the word of a person, and stays.",
        "Un refus est la volonté d'une personne, et reste.",
    ),
    "rule.unknown_value": (
        "The value table has no row for the value: a person decides.",
        "La table de valeurs n'a pas de ligne pour la valeur : une personne décide.",
    ),
    "rule.no_entry": (
        "The journal has nothing of this run about the person any more.",
        "Le journal n'a plus rien de cette synchronisation sur la personne.",
    ),
    "rule.no_contact": (
        "The e-mail belongs to no person, or to another one, now.",
        "L'e-mail n'appartient plus à personne, ou à une autre personne.",
    ),
    "rule.no_record": (
        "The record takes no part any more: deleted, converted or filtered out.",
        "L'enregistrement ne participe plus : supprimé, converti ou exclu.",
    ),
    "rule.no_pair": (
        "The field is not mapped any more, or to another field.",
        "Le champ n'a plus de correspondance, ou une autre.",
    ),
    "rule.not_writable": (
        "The mapping or the system does not allow the write now.",
        "La correspondance ou le système ne permet pas l'écriture actuellement.",
    ),
    "rule.email": (
        "The e-mail is the identity of the person: correct it in either system.",
        "L'e-mail est l'identité de la personne : corrigez-le dans un des systèmes.",
    ),
    "rule.text_not_kept": (
        "The text is too long: the journal has only its length.",
        "Le texte est trop long : le journal n'a que sa longueur.",
    ),
    "rule.written_again": (
        "The next run would write the value again: change the mapping first.",
        "La prochaine synchronisation réécrirait la valeur : changez d'abord la correspondance.",
    ),
    "rule.unfinished": (
        "The write waits, or has no answer yet: undo again later.",
        "L'écriture attend, ou n'a pas encore de réponse : recommencez plus tard.",
    ),
    "rule.quarantined": ("A system refused the write.", "Un système a refusé l'écriture."),
    "rule.policy": ("The mapping leaves it so.", "La correspondance le laisse ainsi."),
    "rule.unstamped": (
        "Salesforce does not report a change of a formula.",
        "Salesforce ne signale pas le changement d'une formule.",
    ),
    "rule.waits": ("The next run synchronizes it.", "La prochaine synchronisation s'en charge."),
    "rule.unexplained": ("No cause is known.", "Aucune cause connue."),
    "preview.title": ("Preview", "Aperçu"),
    "preview.lead": (
        "What a run would do. Nothing is written. Values that would be lost come first.",
        "Ce que ferait une synchronisation. Rien n'est écrit. Les valeurs perdues d'abord.",
    ),
    "preview.undo_title": ("Preview of the undo", "Aperçu de l'annulation"),
    "preview.undo_lead": (
        "What the undo would put back, and what it leaves as it is. Nothing is written.",
        "Ce que l'annulation remettrait, et ce qu'elle laisse. Rien n'est écrit.",
    ),
    "preview.problems": (
        "The mapping has problems. Correct them, then preview again.",
        "Les correspondances ont des problèmes. Corrigez-les, puis prévisualisez à nouveau.",
    ),
    "preview.approve_draft": ("Approve the draft", "Approuver le brouillon"),
    "preview.approve_draft_text": (
        "The draft becomes the mapping, and a full run applies it to all people: as shown here.",
        (
            "Le brouillon devient la correspondance, et une synchronisation complète l'applique à "
            "tous : comme montré ici."
        ),
    ),
    "preview.apply": ("Approve and apply", "Approuver et appliquer"),
    "preview.back_to_draft": ("Back to the draft", "Retour au brouillon"),
    "preview.undo_now": ("Undo now", "Remettre l'ancienne valeur"),
    "preview.undo_now_text": (
        "The values are put back as shown. Edits that somebody made since then stay.",
        "Les valeurs sont remises comme montré. Les saisies faites depuis restent.",
    ),
    "preview.undo_one_side": (
        "Where somebody typed the new value, it stays. If it is wrong, correct it there too.",
        "Là où la nouvelle valeur a été saisie, elle reste. Fausse, elle se corrige là aussi.",
    ),
    "preview.undo_both_sides": (
        "The former value is put back in both systems, where they still have the new one.",
        "L'ancienne valeur est remise dans les deux systèmes, là où la nouvelle est encore là.",
    ),
    "preview.approve": ("Approve this preview", "Approuver cet aperçu"),
    "preview.approve_text": (
        "The next run may clear and overwrite as many values as shown here, and no more.",
        "La prochaine synchronisation peut effacer et écraser autant de valeurs qu'ici, pas plus.",
    ),
    "preview.expected": ("What this run would use", "Ce que cette synchronisation utiliserait"),
    "preview.less_than_a_cent": ("less than 0.01 US$", "moins de 0,01 US$"),
    "preview.change_nothing": ("Change nothing", "Ne rien changer"),
    "preview.nothing_to_undo": (
        "Nothing can be put back. The reason stands below.",
        "Rien ne peut être remis. La raison figure ci-dessous.",
    ),
    "preview.undo_in": (
        "It is put back in {side} only. The other system keeps what it has: correct it there too.",
        "L'ancienne valeur est remise dans {side} seulement. Corrigez aussi l'autre système.",
    ),
    "runs.would_write": ("would write {n}", "écrirait {n}"),
    "preview.calls_to_plezi": ("Calls to Plezi", "Appels à Plezi"),
    "preview.calls_to_salesforce": ("Calls to Salesforce", "Appels à Salesforce"),
    "preview.duration": ("Duration", "Durée"),
    "preview.money": ("Cost at AWS", "Coût chez AWS"),
    "preview.minutes.one": ("{n} minute", "{n} minute"),
    "preview.minutes.other": ("{n} minutes", "{n} minutes"),
    "preview.by_field": ("By field", "Par champ"),
    "preview.by_person.one": ("By person ({n})", "Par personne ({n})"),
    "preview.by_person.other": ("By person ({n})", "Par personne ({n})"),
    "preview.written_in": ("Written in", "Écrit dans"),
    "preview.cleared": ("Cleared", "Effacées"),
    "preview.overwritten": ("Overwritten", "Écrasées"),
    "preview.writes": ("Written on this page", "Écrites, cette page"),
    "preview.clears": ("cleared", "effacé"),
    "preview.nothing": (
        "It would change no value.",
        "Aucune valeur ne serait modifiée.",
    ),
}
