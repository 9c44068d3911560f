// "Test now": sends the form and shows how far the record came. Without this file the form opens the test's own page,
// save on the page that shows a new token: its policy (no referrer) makes a plain form one of unknown origin.
"use strict";
{
  const show = (list, steps) => {
    list.hidden = false;
    list.replaceChildren(...steps.map((step) => {
      const line = document.createElement("li");
      line.className = step.state;
      const label = document.createElement("b");
      label.textContent = step.label;
      const told = document.createElement("span");
      told.textContent = step.told;
      line.append(label, " ", told);
      return line;
    }));
  };

  const ask = (url, options = {}) => fetch(url, { cache: "no-store", ...options, headers: { Accept: "application/json" } });

  // Calls `tell` with what is known, until there is no more to come.
  const follow = (url, tell) => {
    const look = async () => {
      let answer = { unfinished: true };
      if (!document.hidden) {
        try {
          const response = await ask(url);
          if (!response.ok || response.redirected) return; // logged out
          answer = await response.json();
          tell(answer);
        } catch { /* the portal is away for a moment */ }
      }
      if (answer.unfinished) setTimeout(look, 1000);
    };
    setTimeout(look, 500);
  };

  document.querySelectorAll("[data-probe]").forEach((form) => {
    const box = form.parentElement;
    const part = (name) => box.querySelector(`[data-probe-${name}]`);
    const button = form.querySelector("button");
    form.hidden = false;
    box.querySelector("[data-without-script]")?.remove();
    const tell = (answer) => {
      show(part("steps"), answer.steps);
      part("error").textContent = answer.error;
      part("error").hidden = !answer.error;
      part("page").hidden = !answer.page;
      if (answer.page) part("page").firstElementChild.href = answer.page;
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      tell({ steps: [{ label: "Sending", state: "pending", told: "one record" }], error: "" });
      try {
        const response = await ask(form.action, { method: "POST", body: new FormData(form) });
        if (response.redirected || !(response.headers.get("content-type") ?? "").includes("json")) throw new Error("refused");
        const answer = await response.json();
        tell(answer);
        if (answer.unfinished) follow(answer.state, tell);
      } catch {
        tell({ steps: [], error: "The portal did not answer. Are you still logged in?" });
      }
      button.disabled = false;
    });
  });

  // A test's own page, while the test is under way.
  document.querySelectorAll("[data-probe-state]").forEach((page) => {
    follow(page.dataset.probeState, (answer) => {
      show(page.querySelector("[data-probe-steps]"), answer.steps);
      if (!answer.unfinished) location.reload();
    });
  });
}
