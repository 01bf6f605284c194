/* Pages that are read rather than worked on: they follow what happens, at their own pace. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const EVERY_MS = 3000;
  let ticks = 0;

  const tick = triage.throttle(EVERY_MS, () => {
    if (document.querySelector("#main[data-live]")) triage.setProps("page-tick", { data: ++ticks });
  });
  triage.on("change", tick);
  triage.on("hello", ({ again }) => again && tick());
  triage.on("reset", tick);

  /** A link within a page leads to its place there, also once that was painted anew. */
  const ANEW_MS = 2000;
  triage.on("navigate", ({ link }) => {
    if (!link.dataset.to) return;
    const go = () => {
      const place = triage.byId(link.dataset.to);
      if (!place) return;
      place.tabIndex = -1;
      place.focus();
    };
    go();
    const painted = new MutationObserver(go);
    painted.observe(triage.byId("page"), { childList: true, subtree: true });
    setTimeout(() => painted.disconnect(), ANEW_MS);
  });

  /** The time that was dragged over in a chart, null for all; called by Dash. */
  triage.pickedRange = (moved) => {
    if (!moved) return window.dash_clientside.no_update;
    const from = moved["xaxis.range[0]"];
    const to = moved["xaxis.range[1]"];
    if (from !== undefined && to !== undefined) return [String(from), String(to)];
    return moved["xaxis.autorange"] ? null : window.dash_clientside.no_update;
  };
})();
