// Watches a pack while it is made and the page is looked at. Without this file a link looks again.
"use strict";
document.querySelectorAll("[data-pack]").forEach((box) => {
  const bar = box.querySelector("progress");
  const told = box.querySelector("[data-pack-told]");

  const look = async () => {
    if (document.hidden) return true;
    const response = await fetch(box.dataset.pack, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!response.ok || response.redirected) return false; // logged out
    const answer = await response.json();
    if (!answer.unfinished) { location.reload(); return false; }
    bar.max = Math.max(answer.total, 1);
    bar.value = answer.done;
    if (told.textContent !== answer.told) told.textContent = answer.told;
    return true;
  };

  const watch = async () => {
    let more = true;
    try { more = await look(); } catch { /* the portal is away for a moment */ }
    if (more) setTimeout(watch, 1000);
  };
  setTimeout(watch, 1000);
});
