/* Who looks at what. It expires by itself; a cluster that somebody has open is left out by "next". */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const SETTLED_MS = 1200; // a cursor that runs on says nothing
  const AGAIN_MS = 15000;
  let looking = [];
  let mine = null;
  let timer = null;

  const others = (cluster) =>
    looking.filter((one) => one.cluster_id === cluster && !(triage.me && one.actor === triage.me.name));
  triage.watchers = (cluster) => others(cluster).map((one) => one.actor);

  const showWatchers = () => {
    const line = triage.byId("watchers");
    if (!line) return;
    const names = mine ? triage.watchers(mine) : [];
    const shown = names.slice(0, 3).map((name) => triage.visible(name, 40)).join(", ");
    const text = names.length ? `${shown} ${names.length === 1 ? "is" : "are"} looking at this too.` : "";
    if (line.textContent !== text) triage.setProps("watchers", { children: text, hidden: !text });
  };

  const tell = async () => {
    if (document.visibilityState !== "visible") return;
    await triage.request("POST", "/presence", { body: { cluster_id: mine } });
  };

  triage.on("subject", (subject) => {
    mine = subject ? subject.cluster : null;
    showWatchers();
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLED_MS);
  });
  triage.on("start", () => setInterval(() => mine && tell(), AGAIN_MS));

  triage.on("presence", (list) => {
    const touched = new Set([...looking, ...list].map((one) => one.cluster_id));
    looking = list;
    showWatchers();
    for (const cluster of touched) triage.emit("watched", cluster);
  });
})();
