"""Tokens, sources and connections in the admin, for those who connect agents, programs and vendors."""

from django.contrib import admin

from connectors.admin.canary import CanaryRunAdmin
from connectors.admin.connection_runs import BackfillAdmin, PullAdmin, ReportedAdmin
from connectors.admin.connections import ConnectionAdmin
from connectors.admin.coverage import CoveredAdmin
from connectors.admin.coverage_fleet import DeviceAdmin, SeatAdmin
from connectors.admin.installations import InstallationAdmin
from connectors.admin.keys import KeyRotationAdmin
from connectors.admin.people_identities import IdentityAdmin
from connectors.admin.people_import import ImportingAdmin
from connectors.admin.people_teams import TeamAdmin
from connectors.admin.sources import SourceAdmin
from connectors.admin.tokens import ApiTokenAdmin, IngestTokenAdmin
from connectors.admin.usage_days import UsageDayAdmin
from connectors.admin.usage_prices import PriceAdmin
from connectors.models import (
    ApiToken,
    Backfill,
    CanaryRun,
    Connection,
    Covered,
    Device,
    Identity,
    IngestToken,
    Installation,
    KeyRotation,
    Person,
    Price,
    Pull,
    Reported,
    Seat,
    Source,
    Team,
    UsageDay,
)

admin.site.register(IngestToken, IngestTokenAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
admin.site.register(Source, SourceAdmin)
admin.site.register(KeyRotation, KeyRotationAdmin)
admin.site.register(Connection, ConnectionAdmin)
admin.site.register(Pull, PullAdmin)
admin.site.register(Backfill, BackfillAdmin)
admin.site.register(Reported, ReportedAdmin)
admin.site.register(UsageDay, UsageDayAdmin)
admin.site.register(Price, PriceAdmin)
admin.site.register(Person, ImportingAdmin)
admin.site.register(Identity, IdentityAdmin)
admin.site.register(Team, TeamAdmin)
admin.site.register(Covered, CoveredAdmin)
admin.site.register(Seat, SeatAdmin)
admin.site.register(Device, DeviceAdmin)
admin.site.register(CanaryRun, CanaryRunAdmin)
admin.site.register(Installation, InstallationAdmin)
