// Tabs: links to sections become ARIA tabs; without script all sections stand below one another.
"use strict";
{
  const makeTabs = (root) => root.querySelectorAll("[data-tabs]").forEach((list) => {
    const tabs = [...list.querySelectorAll("a")];
    const panels = tabs.map((tab) => document.getElementById(tab.hash.slice(1)));
    const select = (index, focus) => {
      tabs.forEach((tab, i) => {
        tab.setAttribute("aria-selected", i === index);
        tab.tabIndex = i === index ? 0 : -1;
        panels[i].hidden = i !== index;
      });
      if (focus) tabs[index].focus();
    };
    list.setAttribute("role", "tablist");
    tabs.forEach((tab, i) => {
      tab.setAttribute("role", "tab");
      tab.id ||= `tab-${panels[i].id}`;
      tab.setAttribute("aria-controls", panels[i].id);
      panels[i].setAttribute("role", "tabpanel");
      panels[i].setAttribute("aria-labelledby", tab.id);
      panels[i].tabIndex = 0;
      tab.addEventListener("click", (event) => { event.preventDefault(); select(i); });
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) { event.preventDefault(); select((i + step + tabs.length) % tabs.length, true); }
      });
    });
    select(Math.max(0, tabs.findIndex((tab) => tab.hash === location.hash)));
  });
  makeTabs(document);
  // A module that puts new content into the page announces it with this event on the element it filled.
  addEventListener("portal:content", (event) => makeTabs(event.target));
}
