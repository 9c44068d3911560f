from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        from portal import celery, logins  # noqa: F401 - every @shared_task then belongs to this app

        logins.connect()


class PortalAdminConfig(AdminConfig):
    default_site = "portal.site.PortalSite"
