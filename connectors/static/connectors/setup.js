// What is pasted: the interval that is chosen, and texts saved as files. A text is made into a file here, in the page: no
// address, no request and no store ever holds it.
"use strict";
{
  document.querySelectorAll("[data-needs-script], [data-save]").forEach((element) => { element.hidden = false; });

  const INTERVAL = /(OTEL_METRIC_EXPORT_INTERVAL[^0-9]{1,40})\d+/;
  const setInterval_ = (text) => {
    document.querySelectorAll("[data-paste]").forEach((block) => {
      const nodes = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      while (nodes.nextNode()) {
        nodes.currentNode.data = nodes.currentNode.data.replace(INTERVAL, (_, before) => before + text);
      }
    });
  };
  document.querySelectorAll("[data-interval]").forEach((choice) => {
    choice.addEventListener("change", () => setInterval_(choice.value));
    if (choice.selectedIndex > 0) setInterval_(choice.value); // what the browser kept over a reload
  });

  // The registry's files are UTF-16 with a byte order mark; all others UTF-8 without one.
  const bytes = (text, encoding) => {
    if (encoding !== "utf-16") return new TextEncoder().encode(text);
    return Uint16Array.from(`\ufeff${text}`, (letter) => letter.charCodeAt(0));
  };

  addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-save]");
    if (!button) return;
    const text = document.getElementById(button.dataset.save).textContent;
    const ended = "crlf" in button.dataset ? text.replace(/\r?\n/g, "\r\n") : text;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes(ended, button.dataset.encoding)], { type: "application/octet-stream" }));
    link.download = button.dataset.filename;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
