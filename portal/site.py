"""The admin site: the product's face."""

from django.contrib import admin


class PortalSite(admin.AdminSite):
    site_title = "Agent Governance Portal"
    site_header = "Agent Governance"
    index_title = "Overview"
    enable_nav_sidebar = False
