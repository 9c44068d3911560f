"""Included under /api/v1/."""

from rest_framework.routers import SimpleRouter

from connectors.api.views import IngestTokenViewSet

router = SimpleRouter()
router.register("ingest-tokens", IngestTokenViewSet, "ingest-token")
urlpatterns = router.urls
