"""Included under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from connectors.api.connections import ConnectionViewSet
from connectors.api.coverage import CoverageList
from connectors.api.usage import UsageList
from connectors.api.views import IngestTokenViewSet

router = SimpleRouter()
router.register("ingest-tokens", IngestTokenViewSet, "ingest-token")
router.register("connectors", ConnectionViewSet, "connector")
urlpatterns = [
    *router.urls,
    path("coverage/", CoverageList.as_view(), name="coverage"),
    path("usage/", UsageList.as_view(), name="usage"),
]
