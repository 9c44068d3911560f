// The session page: a chosen row fills the panel without loading the page again. Without this file its link does that.
"use strict";
{
  const panel = document.getElementById("panel");
  const narrow = matchMedia("(max-width: 80rem)");
  let latest = 0;

  const mark = (row) => {
    document.querySelectorAll(".timeline tr[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    row.setAttribute("aria-current", "true");
  };

  // The answer of an older request must not replace that of a newer one.
  const show = async (link) => {
    const mine = ++latest;
    const answer = await fetch(link.dataset.panel, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || answer.redirected) { location.assign(link.href); return; }
    const text = await answer.text();
    if (mine !== latest) return;
    const parsed = new DOMParser().parseFromString(text, "text/html");
    panel.replaceChildren(...parsed.body.childNodes);
    panel.scrollTop = 0;
    panel.dispatchEvent(new CustomEvent("portal:content", { bubbles: true }));
    mark(link.closest("tr"));
    document.getElementById("status").textContent = `${panel.querySelector("h2").textContent}: shown in the panel`;
    history.replaceState(null, "", link.href);
  };

  const choose = (link) => show(link).catch(() => location.assign(link.href));

  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-panel]");
    if (!panel || !link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choose(link).then(() => { if (narrow.matches) panel.scrollIntoView(); });
  });

  // Moving by key (frame.js) reads along: the panel follows the focused row.
  let moved = false;
  addEventListener("keydown", (event) => { moved = ["j", "k", "n", "g"].includes(event.key); }, true);
  addEventListener("focusin", (event) => {
    const link = event.target.closest?.("a[data-panel]");
    if (moved && link && panel && !narrow.matches) choose(link);
    moved = false;
  });

  const pad = (number) => String(number).padStart(2, "0");
  document.querySelectorAll("text[data-at]").forEach((label) => {
    const at = new Date(label.dataset.at);
    if (Number.isNaN(at.getTime())) return;
    const seconds = "seconds" in label.dataset ? `:${pad(at.getSeconds())}` : "";
    label.textContent = `${pad(at.getHours())}:${pad(at.getMinutes())}${seconds}`;
  });
}
