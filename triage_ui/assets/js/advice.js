/* What a verdict would change, before it is given; and the same verdict for others alike. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const APPLIES = ["real", "spurious", "pipeline_fault"];
  let count = 0;

  const panel = () => triage.byId("advice");
  const isOpen = () => Boolean(panel() && !panel().hidden);
  const answer = () => panel() && panel().querySelector("[data-advice]");

  /** The verdict whose consequences are on the screen. */
  const shownVerdict = () => {
    const shown = document.querySelector("[data-consequence]:not([hidden])");
    return shown ? shown.dataset.consequence : "real";
  };

  const close = () => {
    if (!isOpen()) return false;
    if (panel().contains(document.activeElement)) document.activeElement.blur();
    panel().hidden = true;
    return true;
  };

  const ask = (kind) => {
    const subject = triage.byId("subject");
    if (!panel() || !subject) return;
    if (subject.dataset.status === "decided") {
      triage.emit("trouble", { text: "Decided already. Z takes it back." });
      return;
    }
    panel().hidden = false;
    panel().dataset.kind = kind;
    triage.setProps("advice-body", { children: "Asking the model …" });
    const read = subject.dataset.read.split(" ").filter(Boolean);
    triage.setProps("advice-ask", { data: { cluster: subject.dataset.cluster, kind, read, count: ++count } });
  };

  triage.advice = {
    /** V: ask about the verdict that is shown; again closes. */
    toggle: () => {
      const kind = shownVerdict();
      if (isOpen() && panel().dataset.kind === kind) close();
      else ask(kind);
    },
    close,
    /** Shift+A: the verdict that was asked about for every ticked cluster, each as its own. */
    apply: () => {
      if (!isOpen()) return ask(shownVerdict());
      const told = answer();
      const subject = triage.byId("subject");
      if (!told || !subject || told.dataset.cluster !== subject.dataset.cluster) return;
      const kind = told.dataset.advice;
      if (!APPLIES.includes(kind)) {
        triage.emit("trouble", { text: `${triage.words[kind]} is given to each by itself.` });
        return;
      }
      const ticked = [...told.querySelectorAll("[data-alike][aria-checked='true']")];
      const others = ticked.map((box) => ({
        cluster: box.dataset.alike,
        revision: box.dataset.revision,
        read: box.dataset.read,
        title: box.dataset.title,
      }));
      if (!others.length) return triage.emit("trouble", { text: "None that is alike is ticked." });
      const given = triage.decideOthers(kind, others);
      close();
      triage.announce(`${triage.words[kind]} for ${given} alike.`);
    },
  };

  triage.on("action:advice", () => triage.advice.toggle());
  triage.on("action:advice-apply", () => triage.advice.apply());
  triage.on("action:advice-tick", ({ button }) => {
    button.setAttribute("aria-checked", button.getAttribute("aria-checked") === "true" ? "false" : "true");
  });
  triage.on("cursor", close);
  triage.on("decided", close);
})();
