// Times in the viewer's zone; UTC stays in `datetime` and `title`. Without script the page shows UTC and says so.
"use strict";
{
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const day = (at) => `${at.getDate()} ${months[at.getMonth()]}`;
  const clock = (at) => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const year = (at) => (at.getFullYear() === new Date().getFullYear() ? "" : ` ${at.getFullYear()}`);
  const shapes = {
    moment: (at) => `${day(at)}${year(at)} ${clock(at)}`,
    clock,
    precise: (at) => `${day(at)} ${at.getFullYear()} ${clock(at)}.${pad(at.getMilliseconds(), 3)}`,
    date: (at) => `${day(at)} ${at.getFullYear()}`,
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  const localise = (root) => {
    root.querySelectorAll("time[data-shape]").forEach((element) => {
      const at = new Date(element.dateTime);
      if (!Number.isNaN(at.getTime())) element.textContent = shapes[element.dataset.shape](at);
    });
    root.querySelectorAll("[data-zone]").forEach((element) => { element.textContent = zone; });
  };
  localise(document);
  // A module that puts new content into the page announces it with this event on the element it filled.
  addEventListener("portal:content", (event) => localise(event.target));
}
