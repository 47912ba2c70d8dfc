"""Why a field was written or held, why a record is left out, and what is shown for review."""

from __future__ import annotations

from connector.described_enum import DescribedEnum


class MergeRule(DescribedEnum):
    """The rule that decided one field of one link; the journal stores it with each value."""

    AGREED = "agreed", "All records have the same value; nothing is written."
    CHANGED = "changed", "One value changed since the last agreement and is written to the others."
    JOINED = "joined", "A record that joins the link takes the value on which the others agree."
    ENFORCED = "enforced", "The pair is enforced: Plezi's value is written again where it differs."
    ONE_WAY = (
        "one_way",
        "The pair is one-way: a change of the sending side replaces an edit on the receiving side.",
    )
    EDITED = "edited", "A value was edited after the field was held: the edit ends the hold."
    CONTACT_WINS = (
        "contact_wins",
        "The value of a Salesforce Contact, which is never written to, is kept.",
    )
    NEWEST = "newest", "Both sides changed: the record with the latest modification time wins."
    PLEZI_WINS = "plezi_wins", "Both sides changed: Plezi's value wins."
    SALESFORCE_WINS = "salesforce_wins", "Both sides changed: Salesforce's value wins."
    FILL_BLANK = "fill_blank", "A blank value is filled; two different values are left as they are."
    MOST_RESTRICTIVE = "most_restrictive", "A checkbox ticked on one record is ticked on all."
    OLDEST_LEAD = (
        "oldest_lead",
        "Several Leads of one e-mail meet for the first time: the one created first wins.",
    )
    HELD = "held", "Both sides changed and the policy is to hold: an admin chooses the value."
    CHOSEN = "chosen", "An admin chose the value of one record for a held field."
    UNDONE = "undone", "An admin undid a run: the record gets the value from before it again."
    PLACEHOLDER = "placeholder", "Plezi has no value: a new Lead gets the placeholder of the pair."
    REPEATED = (
        "repeated",
        "The response to a write was lost and the record has the old value: it is written again.",
    )
    IN_DOUBT = (
        "in_doubt",
        "The response to the write was lost: the write or a user replaced the value.",
    )
    NO_CHANGE = "no_change", "Nothing is written, and nothing new is agreed."


class HoldReason(DescribedEnum):
    """Why a field waits for a decision of an admin."""

    CONFLICT = "conflict", "Both sides changed the field, and the policy of the pair is to hold."
    IN_DOUBT = (
        "in_doubt",
        "The response to a write was lost, and the record no longer shows if the write arrived.",
    )
    EMAIL_TAKEN = "email_taken", "A contact's new e-mail already belongs to another link."
    EMAIL_IN_USE = (
        "email_in_use",
        "A new e-mail cannot be written yet: another contact still has it; it is tried again.",
    )
    NEVER_AGREED = (
        "never_agreed",
        "The pair is new for a known link, and the two sides have different values.",
    )
    WRITE_LOOP = (
        "write_loop",
        "The same value was undone again and again within a day: another automation replaces it.",
    )
    UNKNOWN_VALUE = (
        "unknown_value",
        "The pair has a value table without a row for the value, and the other list lacks it.",
    )


class JournalKind(DescribedEnum):
    """What happened to a field, as an entry of the journal states it."""

    WRITTEN = "written", "A value was written to a record."
    OVERWRITTEN = "overwritten", "A user's value gives way to another value."
    HELD = "held", "The field waits for a decision of an admin."
    REFUSED = "refused", "The other system refused the write; `rule` holds its code."
    DUPLICATE = "duplicate", "A dry run found several Leads with one e-mail."
    NOT_UNDONE = "not_undone", "An undo leaves the value as it is; `rule` holds the reason."
    DRIFT = "drift", "A verification found two different values; `rule` holds the cause."


class UndoReason(DescribedEnum):
    """Why an undo leaves a field as it is; the journal stores it as the rule of `not_undone`."""

    CHANGED_SINCE = (
        "changed_since",
        "The record has another value than the run wrote, or a user edited the other side.",
    )
    NEWER_RUN = "newer_run", "A later run wrote the field; `newer_run` of the entry is its id."
    CREATED = "created", "The run created the record: nothing is ever deleted."
    NO_ENTRY = (
        "no_entry",
        "The journal has no entry of the run about this contact: it expired, or there was none.",
    )
    NO_CONTACT = (
        "no_contact",
        "No contact has this e-mail any more, or a record belongs to another contact now.",
    )
    NO_RECORD = (
        "no_record",
        "The record takes no part any more: deleted, converted, filtered out or not the primary.",
    )
    NO_PAIR = (
        "no_pair",
        "The field pair was removed, switched off, suspended, or points at another field now.",
    )
    NOT_WRITABLE = (
        "not_writable",
        "The mapping or the system does not allow the write at present, or a value is unknown.",
    )
    EMAIL = "email", "The e-mail is the identity of the contact: correct it in either system."
    HELD = "held", "The field waits for a decision of an admin: decide first."
    TEXT_NOT_KEPT = (
        "text_not_kept",
        "The text is so long that the journal has only its length and digest.",
    )
    WRITTEN_AGAIN = (
        "written_again",
        "The next run would write the value again: the pair is enforced, or its policy fills it.",
    )
    OPT_OUT = (
        "opt_out",
        "An opt-out is the word of a person: only an undo with `opt_outs` takes it back.",
    )
    UNFINISHED = (
        "unfinished",
        "The write waits, has no response, or the contact was in use: request the undo again.",
    )


class DriftCause(DescribedEnum):
    """Why two values of one person differ; a verification stores it as the rule of `drift`."""

    HELD = "held", "The field waits for a decision of an admin."
    QUARANTINED = "quarantined", "A system refused the write, or the value cannot be converted."
    ONE_WAY = (
        "one_way",
        "The value was typed where the pair, or a Salesforce Contact, does not take part in it.",
    )
    POLICY = (
        "policy",
        "The policy leaves it: `fill_blank` keeps two values, an enforced pair sends no blank.",
    )
    UNDONE = (
        "undone",
        "An admin undid a run: the value that was put back differs from the one on the other side.",
    )
    WAITS = "waits", "The next run synchronizes it: nothing has read or applied it yet."
    UNSTAMPED = (
        "unstamped",
        "Salesforce does not stamp a record when a formula or a field of its parent changes.",
    )
    UNEXPLAINED = "unexplained", "None of the others: the systems should agree, and do not."


class AttentionKind(DescribedEnum):
    """Why a link is in the review queue."""

    HOLD = "hold", "At least one field is held until an admin chooses a value."
    QUARANTINE = "quarantine", "A system refused a write; the link is tried again after a change."
    DUPLICATE = "duplicate", "Several Leads have the e-mail of the link."
    NO_EMAIL = (
        "no_email",
        "The e-mail of a Lead was cleared: it is left as it is until it has one again.",
    )
    SHARED = (
        "shared",
        "Too many records have the e-mail, or would be overwritten at once: none is written.",
    )


class ProblemCode(DescribedEnum):
    """Why the connector itself puts a link in quarantine, or leaves out a record of a response."""

    UNREADABLE_RECORD = (
        "unreadable_record",
        "The response of a system describes the record in a form that is not expected.",
    )
    NOT_VISIBLE = (
        "not_visible",
        "A known record is not found, not even in the recycle bin: hidden, or removed for good.",
    )
    UNUSABLE_VALUE = (
        "unusable_value",
        "A value cannot be read, or not be converted to the type of the field on the other side.",
    )
    UNKNOWN_VALUE = (
        "unknown_value",
        "The value table of the pair has no row for the value: the field is held.",
    )
    UNANSWERED = (
        "unanswered",
        "A write to the link has had no usable response three times in a row; it is tried again.",
    )
    NOT_STORABLE = "not_storable", "The data of the link is too large for the ledger."
    DEFECT = "defect", "An unexpected error in the connector; the log has the details."


class SkipReason(DescribedEnum):
    """Why a record does not take part in the synchronization."""

    SEVERAL_LEADS = (
        "several_leads",
        "Several Leads have this e-mail, and the duplicate policy is to hold.",
    )
    SHARED_EMAIL = (
        "shared_email",
        "More records have this e-mail than the limit allows (MaxRecordsPerEmail).",
    )
    QUARANTINED = "quarantined", "The record cannot be used; the link is in quarantine."
    ERASED = "erased", "The person was erased; an admin can lift the tombstone."
    NO_EMAIL = "no_email", "The record has no e-mail, and the e-mail identifies a link."
    NO_PARTICIPANT = "no_participant", "No record of the link takes part on either side."
    DELETED_IN_PLEZI = (
        "deleted_in_plezi",
        "The contact was deleted in Plezi or takes no part there.",
    )
    IS_A_CONTACT = (
        "is_a_contact",
        "A Salesforce Contact has this e-mail, and no Lead is created in addition.",
    )
    CONVERTED = "converted", "The Lead was converted, and no new Lead is created."
    DELETED_IN_SALESFORCE = (
        "deleted_in_salesforce",
        "The Lead was deleted in Salesforce, or a Contact that took part.",
    )
    FILTERED_OUT = "filtered_out", "The Lead does not pass the filter."
    EMAIL_HELD = (
        "email_held",
        "The contact's new e-mail is another person's: no Lead is created until that is decided.",
    )
    EMAIL_CLEARED = "email_cleared", "The e-mail of the Lead was cleared, so it takes no part."
