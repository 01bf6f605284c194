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

  /** The time that was dragged over in a chart, null for all; called by Dash. */
  triage.pickedRange = (moved) => {
    if (!moved) return window.dash_clientside.no_update;
    const from = moved["xaxis.range[0]"];
    const to = moved["xaxis.range[1]"];
    if (from !== undefined && to !== undefined) return [String(from), String(to)];
    return moved["xaxis.autorange"] ? null : window.dash_clientside.no_update;
  };
})();
