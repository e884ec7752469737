// Keys n, r, e go to accept, return, extend; and a typed day says at once what it would give. Without it all works too.
"use strict";

addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
  if (at.isContentEditable || event.defaultPrevented || document.documentElement.dataset.letters === "off" || !/^[nre]$/.test(event.key)) return;
  const found = document.querySelector(`[data-key="${event.key}"]`);
  if (!found) return;
  event.preventDefault();
  found.scrollIntoView({ block: "center" });
  found.focus();
});

for (const field of document.querySelectorAll("[data-effect]")) {
  const effect = document.getElementById(field.getAttribute("aria-describedby"));
  let asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(asked);
    asked = setTimeout(async () => {
      const typed = field.value;
      if (!/\d{4}\s*$/.test(typed)) return;
      const answer = await fetch(`${field.dataset.effect}?due_on=${encodeURIComponent(typed)}`);
      if (answer.ok && field.value === typed) effect.textContent = await answer.text();
    }, 300);
  });
}
