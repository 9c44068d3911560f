// Tables wider than the window say so: the edge's shadow is the theme's, the words are for everybody.
"use strict";
{
  const told = "Wider than the window: scroll sideways for more columns.";
  const hints = new Map();
  const hint = (region) => {
    const words = document.createElement("p");
    words.className = "scroll-hint";
    words.id = `scroll-hint-${hints.size}`;
    words.textContent = told;
    region.before(words);
    hints.set(region, words);
    return words;
  };
  const look = (region) => {
    const wide = region.scrollWidth > region.clientWidth + 1;
    if (!wide && !hints.has(region)) return;
    const words = hints.get(region) ?? hint(region);
    words.hidden = !wide;
    if (wide) region.setAttribute("aria-describedby", words.id);
    else region.removeAttribute("aria-describedby");
  };
  const seen = new ResizeObserver((entries) => entries.forEach(({ target }) => look(target.closest("[role=region]"))));
  document.querySelectorAll(":is(.results, .tl-scroll)[role=region]").forEach((region) => {
    seen.observe(region);
    region.querySelectorAll("table").forEach((table) => seen.observe(table));
  });
}
