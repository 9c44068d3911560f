// Keeps what was pasted in its box while the answer is shown: the answer never holds it. Without this file the page
// comes back with the box empty.
"use strict";
document.querySelectorAll("[data-linter]").forEach((form) => {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      const response = await fetch(location.pathname, { method: "POST", body: new FormData(form), cache: "no-store" });
      if (response.redirected || !response.ok) throw new Error("refused");
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      document.getElementById("remarks").replaceWith(document.adoptNode(page.getElementById("remarks")));
    } catch {
      document.getElementById("status").textContent = "The portal did not answer. Are you still logged in?";
    }
    button.disabled = false;
  });
});
