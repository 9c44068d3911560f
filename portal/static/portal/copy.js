// Buttons with data-copy="id" copy that element's text. A step with data-step="id" is done once that text was copied.
"use strict";
{
  const say = (text) => { document.getElementById("status").textContent = text; };

  // Browsers offer the clipboard only on https and on this machine; elsewhere the text is selected and copied the old way.
  const copyText = async (source) => {
    const text = (source.value ?? source.textContent).trim();
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) throw new Error("refused");
    return undefined;
  };

  const tick = (copied) => document.querySelectorAll("[data-step]").forEach((step) => {
    if (copied.includes(document.getElementById(step.dataset.step).textContent.trim())) step.classList.add("done");
  });

  addEventListener("copy", () => tick(String(getSelection()))); // by keyboard, and the old way

  addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      const source = document.getElementById(button.dataset.copy);
      await copyText(source);
      tick(source.value ?? source.textContent);
      button.classList.add("copied");
      say("Copied");
    } catch {
      say("Not copied: select the text and copy it with the keyboard");
    }
  });
}
