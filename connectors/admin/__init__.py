"""Tokens and sources in the admin, for those who connect agents and programs."""

from django.contrib import admin

from connectors.admin.sources import SourceAdmin
from connectors.admin.tokens import ApiTokenAdmin, IngestTokenAdmin
from connectors.models import ApiToken, IngestToken, Source

admin.site.register(IngestToken, IngestTokenAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
admin.site.register(Source, SourceAdmin)
