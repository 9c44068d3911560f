// The form of a schedule: says in words what the chosen crontab means.
"use strict";
{
  const texts = JSON.parse(document.getElementById("readable-crontabs").textContent);
  const choice = document.getElementById("id_crontab");
  const help = document.querySelector(".field-crontab .help > div");
  document.querySelector(".field-crontab_translation")?.setAttribute("hidden", "");
  if (choice && help) {
    const told = document.createElement("p");
    help.append(told);
    const tell = () => { told.textContent = texts[choice.value] ?? ""; };
    choice.addEventListener("change", tell);
    tell();
  }
}
