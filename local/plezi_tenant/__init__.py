"""A simulated Plezi tenant: its API, its forms, its web interface and its switches.

Few facts about the API are public. Each behaviour that is not proved has a switch (`switches.py`),
so that a client can be tested against every variant. `docs/simulators/plezi.md` lists the assumed
behaviours.
"""

from local.plezi_tenant.switches import Switches
from local.plezi_tenant.tenant import PleziTenant

__all__ = ["PleziTenant", "Switches"]
