// Moves the bar of long work while its page is looked at, and loads the page again when it has ended. Without this file
// a link looks again.
"use strict";
document.querySelectorAll("[data-progress]").forEach((box) => {
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-progress-told]");

  const look = async () => {
    if (document.hidden) return true;
    const response = await fetch(box.dataset.progress, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!response.ok || response.redirected) return false; // logged out, or it is gone
    const { unfinished, done, total, told } = await response.json();
    if (!unfinished) { location.reload(); return false; }
    bar.max = Math.max(total, 1);
    bar.value = done;
    if (words.textContent !== told) words.textContent = told;
    return true;
  };

  const watch = async () => {
    let more = true;
    try { more = await look(); } catch { /* the portal is away for a moment */ }
    if (more) setTimeout(watch, 1000);
  };
  setTimeout(watch, 1000);
});
