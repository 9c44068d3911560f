from django.contrib import admin
from django.urls import include, path

from portal import health, metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("connectors.api.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
