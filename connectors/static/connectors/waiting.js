// Watches for a token's first event while the page is looked at. Without this file a link looks again.
"use strict";
document.querySelectorAll("[data-waiting]:not([data-waiting-over])").forEach((box) => {
  const part = (name) => box.querySelector(`[data-waiting-${name}]`);
  const badge = document.querySelector("[data-waiting-badge] > *");

  const show = (answer) => {
    if (part("headline").textContent !== answer.headline) part("headline").textContent = answer.headline;
    if (part("detail").textContent !== answer.detail) part("detail").textContent = answer.detail;
    if (answer.waiting) return;
    part("sign").className = "state ok";
    part("again")?.remove();
    badge.className = "state ok";
    badge.querySelector("use").setAttribute("href", "#i-check");
    badge.querySelector("span").textContent = answer.state;
  };

  const look = async () => {
    if (document.hidden) return true;
    const response = await fetch(box.dataset.waiting, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!response.ok || response.redirected) return false; // logged out, or the token is gone
    const answer = await response.json();
    show(answer);
    return answer.waiting;
  };

  const watch = async () => {
    let more = true;
    try { more = await look(); } catch { /* the portal is away for a moment */ }
    if (more) setTimeout(watch, 2000);
  };
  setTimeout(watch, 2000);
});
