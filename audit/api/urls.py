"""Included under /api/v1/."""

from django.urls import path
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import JSONRenderer

from audit.api import feed, ledger, views

_SCHEMA_FORMS = (OpenApiJsonRenderer, OpenApiYamlRenderer, JSONRenderer)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(renderer_classes=_SCHEMA_FORMS), name="schema"),
    path("sessions/", views.SessionList.as_view(), name="sessions"),
    path("sessions/<uuid:id>/", views.SessionDetail.as_view(), name="session"),
    path("sessions/<uuid:id>/timeline/", views.Timeline.as_view(), name="timeline"),
    path("events/", views.EventList.as_view(), name="events"),
    path("events/<uuid:id>/", views.EventDetail.as_view(), name="event"),
    path("events/<uuid:id>/proof/", ledger.EventProof.as_view(), name="event-proof"),
    path("permission-decisions/", views.PermissionDecisionList.as_view(), name="permission-decisions"),
    path("mode-changes/", views.ModeChangeList.as_view(), name="mode-changes"),
    path("mcp-connections/", views.McpConnectionList.as_view(), name="mcp-connections"),
    path("mcp-servers/", views.McpServerList.as_view(), name="mcp-servers"),
    path("ledger/checkpoint/", ledger.LatestCheckpoint.as_view(), name="ledger-checkpoint"),
    path("ledger/consistency/", ledger.ConsistencyProof.as_view(), name="ledger-consistency"),
    path("export/", feed.Feed.as_view(), name="export"),
]
