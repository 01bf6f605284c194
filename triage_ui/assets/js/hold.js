/*
 * A verdict key that comes before its cluster is painted: a verdict must know what was read, so the
 * key is held, in sight, until the members stand on the screen; or given up, and the page says why.
 */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const PATIENCE_MS = 10000;

  let current = null; // {kind, cluster, over}: `over` is why it was given up

  const frame = () => new Promise((resume) => setTimeout(resume, 15));

  const show = () => {
    for (const button of document.querySelectorAll("[data-verdict]")) {
      button.classList.toggle("held", Boolean(current) && button.dataset.verdict === current.kind);
    }
  };

  /** What the held key would say of this cluster, null if none is held for it. */
  triage.heldFor = (cluster) => (current && current.cluster === cluster ? current.kind : null);

  /** Give the held key up; tell whether there was one. */
  triage.letGo = (why) => {
    if (!current || current.over) return false;
    current.over = why;
    return true;
  };

  const watch = (page, until) => {
    const cursor = triage.cursor();
    if (current.cluster === null && cursor) {
      current.cluster = cursor;
      triage.emit("held", current.cluster);
    }
    const moved = current.cluster !== null && cursor !== current.cluster;
    if (window.location.pathname !== page || moved) triage.letGo("You moved on before its members were here");
    if (performance.now() > until) triage.letGo("Its members did not come");
  };

  /** Resolve to what `look` finds as soon as it finds something, to null if the key was given up. */
  triage.hold = async (kind, look) => {
    const page = window.location.pathname;
    const until = performance.now() + PATIENCE_MS;
    current = { kind, cluster: null, over: "" };
    show();
    triage.announce(`${triage.words[kind]}: as soon as its members are here.`);
    let found = null;
    while (!found && !current.over) {
      watch(page, until);
      await frame();
      found = look();
    }
    const { cluster, over } = current;
    current = null;
    show();
    triage.emit("held", cluster);
    if (!found) triage.emit("trouble", { text: `${over}: nothing was decided.` });
    return found;
  };

  triage.on("missed", () => triage.letGo("The board can't be reached"));
})();
