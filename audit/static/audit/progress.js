// Moves the bar of long work while its page is looked at, and loads the page again when it has ended.
"use strict";
document.querySelectorAll("[data-progress]").forEach((line) => {
  const bar = line.querySelector("progress");
  const words = line.querySelector("span");

  const look = async () => {
    if (document.hidden) return true;
    const response = await fetch(line.dataset.progress, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!response.ok || response.redirected) return false; // logged out, or it is gone
    const { done, total, state } = await response.json();
    if (state !== "waiting" && state !== "running") location.reload();
    bar.max = total || 1;
    bar.value = done;
    words.textContent = `${done.toLocaleString()} of ${total.toLocaleString()}`;
    return true;
  };

  const watch = async () => {
    let more = true;
    try { more = await look(); } catch { /* the portal is away for a moment */ }
    if (more) setTimeout(watch, 2000);
  };
  setTimeout(watch, 2000);
});
