/* Light and dark: follows the system until the switch says otherwise. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const KEY = "triage.scheme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : null;
  };
  triage.scheme = () => chosen() || (dark.matches ? "dark" : "light");

  const apply = () => {
    const scheme = triage.scheme();
    document.documentElement.dataset.theme = scheme;
    document.documentElement.style.colorScheme = scheme;
    triage.setProps("scheme", { data: scheme });
  };

  document.documentElement.dataset.theme = triage.scheme();
  dark.addEventListener("change", apply);
  triage.on("start", apply);
  triage.on("action:theme", () => {
    const next = triage.scheme() === "dark" ? "light" : "dark";
    // Back at what the system says, follow it again.
    if (next === (dark.matches ? "dark" : "light")) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    apply();
    triage.announce(`Scheme: ${next}.`);
  });
})();
