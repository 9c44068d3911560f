// The colour theme. Loaded in <head>, not deferred, so that the stored theme is set before the first paint.
"use strict";
{
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  root.classList.add("js");
  root.dataset.theme = stored() || "auto";

  const cycle = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const order = dark ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    root.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* private mode: it lasts for this page */ }
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".theme-toggle").forEach((button) => button.addEventListener("click", cycle));
  });
}
