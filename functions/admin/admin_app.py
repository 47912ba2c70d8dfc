"""The context of the admin use cases, shared by all routes."""

from __future__ import annotations

from connector.admin.context import AdminContext
from connector.bootstrap.lambda_runtime import LambdaApp
from connector.connection_settings import AdminSettings

ADMIN: LambdaApp[AdminContext] = LambdaApp(AdminSettings)
