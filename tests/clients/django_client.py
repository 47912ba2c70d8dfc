"""Calls the simulated org with the unmodified django-salesforce, in steps.

It prints one line of JSON for each step. It runs in the environment of
`requirements/clients-django.txt`. The variable ORG has the org and its users, as JSON.
"""

from __future__ import annotations

import io
import json
import os
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime

import django
from django.conf import settings

ORG = json.loads(os.environ["ORG"])
settings.configure(
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "salesforce": {
            "ENGINE": "salesforce.backend",
            "CONSUMER_KEY": ORG["key"],
            "CONSUMER_SECRET": ORG["secret"],
            "USER": ORG["username"],
            "PASSWORD": ORG["password"],
            "HOST": ORG["url"],
        },
    },
    DATABASE_ROUTERS=["salesforce.router.ModelRouter"],
    INSTALLED_APPS=["salesforce"],
    USE_TZ=True,
)
django.setup()

# Models need configured settings.
from django.core.management import call_command  # noqa: E402
from django.db.models import Count, Max, Q  # noqa: E402
from salesforce import models  # noqa: E402
from salesforce.dbapi.exceptions import SalesforceError  # noqa: E402


class Account(models.Model):
    name = models.CharField(max_length=255)

    class Meta(models.Model.Meta):
        db_table, app_label = "Account", "clients"


class User(models.Model):
    username = models.CharField(max_length=80)

    class Meta(models.Model.Meta):
        db_table, app_label = "User", "clients"


class Contact(models.Model):
    last_name = models.CharField(max_length=80)
    account = models.ForeignKey(Account, models.DO_NOTHING, null=True)

    class Meta(models.Model.Meta):
        db_table, app_label = "Contact", "clients"


class Lead(models.Model):
    last_name = models.CharField(max_length=80)
    company = models.CharField(max_length=255)
    email = models.EmailField(null=True)
    title = models.CharField(max_length=128, null=True)
    status = models.CharField(max_length=40, default=models.DEFAULTED_ON_CREATE)
    employees = models.DecimalField(18, 0, db_column="employees__c", null=True)
    optout = models.BooleanField(
        db_column="newsletter_optout__c", default=models.DEFAULTED_ON_CREATE
    )
    birthdate = models.DateField(db_column="birthdate__c", null=True)
    created_date = models.DateTimeField(sf_read_only=models.READ_ONLY)
    owner = models.ForeignKey(User, models.DO_NOTHING, default=models.DEFAULTED_ON_CREATE)

    class Meta(models.Model.Meta):
        db_table, app_label = "Lead", "clients"


LEADS = Lead.objects
MANY = 150
"""Records that one statement deletes: django-salesforce sends them in one call, of 200 at most."""


def log_in() -> None:
    assert LEADS.count() > 0


def records() -> None:
    Lead(last_name="Django", company="Acme", email="Ana@X.fr", birthdate=date(1990, 5, 1)).save()
    lead = LEADS.get(last_name="Django")
    assert (lead.email, lead.birthdate) == ("ana@x.fr", date(1990, 5, 1))
    assert (lead.optout, lead.owner.username) == (False, ORG["username"])
    lead.title, lead.optout = "CEO", True
    lead.save()
    assert LEADS.filter(email__iexact="ANA@x.fr", optout=True).get().title == "CEO"
    lead.delete()
    assert not LEADS.filter(pk=lead.pk).exists()


def several() -> None:
    LEADS.bulk_create(
        [Lead(last_name=f"Many{n}", company="Acme", employees=n) for n in range(MANY)]
    )
    made = LEADS.filter(last_name__startswith="Many")
    assert made.count() == MANY
    made.filter(employees__gte=100).update(title="Large")
    assert LEADS.filter(title="Large").aggregate(Max("employees")) == {"employees__max": 149}
    made.delete()
    assert not made.exists()
    assert LEADS.filter(last_name__startswith="Many").query_all().count() == MANY


def queries() -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    some = LEADS.filter(
        Q(last_name__contains="a") | Q(email__in=["x@x.fr", "y@x.fr"]), created_date__gte=since
    )
    names = list(
        some.exclude(title="None").order_by("-last_name")[2:5].values_list("last_name", flat=True)
    )
    assert names == sorted(names, reverse=True)
    assert LEADS.filter(title__isnull=True, owner__username=ORG["username"]).count() >= 0
    [row] = LEADS.values("status").annotate(number=Count("id"))
    assert row["number"] == LEADS.count()
    assert len(list(LEADS.raw("SELECT Id, LastName FROM Lead LIMIT 3"))) == 3


def joins() -> None:
    named = Account.objects.filter(name__startswith="A")
    assert Contact.objects.filter(account__in=named).count() >= 0
    assert list(Contact.objects.select_related("account").values_list("account__name")[:2])


def refusals() -> None:
    try:
        Lead(last_name="x" * 100, company="Acme").save()
        code = "saved"
    except SalesforceError as refused:
        code = str(refused).split()[0]
    assert code == "STRING_TOO_LONG"


def introspection() -> None:
    text = io.StringIO()
    call_command("inspectdb", "Lead", database="salesforce", stdout=text)
    assert "plezi_url = models.CharField(db_column='plezi_url__c'" in text.getvalue()


STEPS: dict[str, Callable[[], None]] = {
    "log in by password, count": log_in,
    "create, read, update and delete a record": records,
    f"bulk create, update and delete {MANY} records; query_all": several,
    "filter, exclude, order, slice, group, raw": queries,
    "join a parent, filter by a sub-query": joins,
    "read the code of a refusal": refusals,
    "inspectdb": introspection,
}

if __name__ == "__main__":
    for step, run in STEPS.items():
        problem = ""
        try:
            run()
        except Exception:  # noqa: BLE001  # the report names it
            problem = traceback.format_exc()[-800:]
        print(json.dumps({"step": step, "problem": problem}))
