// Buttons with data-copy="id" copy that element's text.
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

  addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await copyText(document.getElementById(button.dataset.copy));
      button.classList.add("copied");
      say("Copied");
    } catch {
      say("Not copied: select the text and copy it with the keyboard");
    }
  });
}
