/* The chosen tab of a cluster's page lives in the address, so a link opens it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const wanted = () => new URLSearchParams(window.location.search).get("tab");
  const first = () => document.querySelector("[id^='tab-']").id.slice(4);
  const there = (name) => Boolean(triage.byId("tab-" + name));

  /** A link to a tab leads to it also where the screen ends above it. */
  const reveal = () => {
    const frame = triage.byId("cluster-tabs");
    if (frame && wanted()) frame.scrollIntoView({ block: "nearest" });
  };
  triage.on("subject", () => wanted() && setTimeout(reveal, 600));

  /** Called by Dash when the tabs have come to the page: the one that the address names. */
  triage.tabWanted = (_id, otherwise) => (wanted() && there(wanted()) ? wanted() : otherwise);

  /** Called by Dash when another one is chosen. */
  triage.tabChosen = (name) => {
    if (!name || name === (wanted() || first()) || !window.location.pathname.startsWith("/cluster/")) return;
    const query = new URLSearchParams(window.location.search);
    query.set("tab", name);
    window.history.replaceState({}, "", `${window.location.pathname}?${query}`);
  };

  /** Choose a tab from a script. */
  triage.showTab = (name) => there(name) && triage.setProps("cluster-tabs", { value: name });
})();
