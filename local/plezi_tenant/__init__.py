"""A simulated Plezi tenant: its API, its forms, its page, and the switches for what is not known.

Public facts on the API are few. What is not proved sits behind a switch (`switches.py`), so that a
client is tried against every variant. `docs/simulators/plezi.md` says which behaviours are assumed.
"""

from local.plezi_tenant.switches import Switches
from local.plezi_tenant.tenant import PleziTenant

__all__ = ["PleziTenant", "Switches"]
