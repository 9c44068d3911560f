// The frame: navigation button, menus and single-key shortcuts. Every page works without this file.
"use strict";
{
  const toggle = document.getElementById("toggle-nav-sidebar");
  toggle?.addEventListener("click", () => {
    const open = document.getElementById("main").classList.toggle("nav-open");
    toggle.setAttribute("aria-expanded", open);
  });

  const menus = [...document.querySelectorAll("details.menu")];
  addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus.filter((menu) => menu.open).forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // On lists: j and k next and previous row, n next rejection, g next gap, / search.
  const step = (selector, direction) => {
    const rows = [...document.querySelectorAll(".timeline tbody tr:not(.prompt), #result_list tbody tr")];
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const ahead = direction > 0 ? rows.slice(here + 1) : rows.slice(0, Math.max(here, 0)).reverse();
    ahead.find((row) => row.matches(selector) && row.querySelector("a[href]"))?.querySelector("a[href]").focus();
  };
  const keys = {
    j: () => step("tr", 1), k: () => step("tr", -1), n: () => step(".is-rejected", 1), g: () => step(".gap", 1),
    "/": () => document.querySelector("#searchbar, #global-search input")?.focus(),
  };
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (document.documentElement.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    if (Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](); }
  });
}
