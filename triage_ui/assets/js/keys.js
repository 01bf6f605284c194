/* Single keys: only outside of fields, only without modifiers, and only while they are switched on. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const VERDICTS = { r: "real", s: "spurious", x: "expected", p: "pipeline_fault", u: "unsure" };
  const FIELDS = "input, textarea, select, [contenteditable], [role='listbox'], [role='option']";

  const formOpen = () => {
    const form = triage.byId("expected-form");
    return Boolean(form && !form.hidden);
  };
  const sheet = () => triage.byId("keys-sheet");
  const keysOn = () => {
    const box = triage.byId("keys-on");
    return !box || box.checked;
  };

  const toggleSheet = () => {
    const dialog = sheet();
    if (dialog.open) dialog.close();
    else dialog.showModal();
  };
  triage.on("action:keys", toggleSheet);

  const back = () => {
    if (formOpen()) return triage.expectedForm.close();
    if (triage.advice.close()) return;
    if (triage.letGo("Taken back")) return;
    if (window.location.pathname !== "/") triage.go(triage.filters.address());
  };

  const simple = {
    j: () => triage.next(),
    k: () => triage.previous(),
    arrowdown: () => triage.next(),
    arrowup: () => triage.previous(),
    enter: () => triage.byId("queue-grid") && triage.openCluster(),
    escape: back,
    n: () => triage.byId("new-rows") && triage.showNew(),
    z: () => triage.letGo("Taken back") || triage.undo(),
    v: () => triage.advice.toggle(),
    "shift+a": () => triage.advice.apply(),
    "/": () => triage.byId("search").focus(),
    "?": toggleSheet,
  };

  const inField = (event) => {
    const target = event.target;
    if (target.closest(FIELDS)) return true;
    // On a button or link Enter and the arrows keep their own meaning.
    const own = ["Enter", " ", "ArrowUp", "ArrowDown"].includes(event.key);
    return own && Boolean(target.closest("button, a, summary, [role='tab'], .ag-header"));
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.id === "search") return inSearch(event);
    if (event.target.closest("#expected-form")) return inForm(event);
    if (sheet() && sheet().open) return;
    const key = event.key.toLowerCase();
    const name = event.shiftKey && key === "a" ? "shift+a" : key;
    if (name !== "escape" && (inField(event) || !keysOn())) return;
    const work = VERDICTS[name] ? triage.canDecide() && (() => press(VERDICTS[name], event)) : simple[name];
    if (!work) return;
    event.preventDefault();
    work();
  });

  const inSearch = (event) => {
    if (event.key === "Escape" || event.key === "Enter") {
      event.preventDefault();
      event.target.blur();
    }
  };

  const inForm = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      triage.expectedForm.close();
    }
    if (event.key === "Enter" && !event.target.closest("button")) {
      event.preventDefault();
      triage.expectedForm.save();
    }
  };

  const press = (kind, event) => {
    if (event.repeat) return; // a key held down is one verdict
    if (kind === "expected") triage.askExpected();
    else triage.decide(kind);
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-verdict]");
    if (!pressed || !triage.canDecide()) return;
    if (pressed.dataset.verdict === "expected") triage.askExpected();
    else triage.decide(pressed.dataset.verdict);
  });

  triage.on("action:undo", ({ button }) => triage.undo(button.dataset.verdictId));
})();
