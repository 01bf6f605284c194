/* Several clusters at once, each with a verdict of its own on the member that the sheet shows. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const MOST = 50;
  let chosen = new Set();
  let sheetFor = null; // {kind, details}

  triage.isChosen = (cluster) => chosen.has(cluster);
  triage.chosenCount = () => (window.location.pathname === "/" ? chosen.size : 0);

  const changed = (clusters) => {
    const bar = triage.byId("chosen");
    if (bar) {
      triage.setProps("chosen", { hidden: chosen.size === 0 });
      triage.setProps("chosen-count", { children: `${chosen.size} chosen` });
    }
    for (const cluster of clusters) triage.emit("repaint", cluster);
  };
  /** Choose a cluster, or let it go; `on`: which of both. */
  triage.choose = (cluster, on = !chosen.has(cluster)) => {
    if (!cluster || chosen.has(cluster) === on) return;
    if (on && chosen.size >= MOST) return triage.announce(`At most ${MOST} at once.`);
    if (on) chosen.add(cluster);
    else chosen.delete(cluster);
    changed([cluster]);
    triage.announce(`${chosen.size} chosen.`);
  };
  triage.dropChosen = () => {
    const before = [...chosen];
    chosen = new Set();
    changed(before);
    return before.length > 0;
  };
  triage.on("action:drop-chosen", triage.dropChosen);
  triage.on("filters", triage.dropChosen);

  const sheet = () => triage.byId("bulk-sheet");
  const element = (name, className, text) => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };
  const line = ({ row, members }) => {
    const item = element("li", "bulk-row", "");
    const member = members[0];
    const strongest = member.reasons[0];
    const value = strongest ? `${strongest.label} ${strongest.text}` : "";
    const usual = strongest && strongest.usual ? ` (usually ${strongest.usual})` : "";
    item.append(
      element("bdi", "bulk-title", triage.visible(row.title, 120)),
      element("bdi", "under", `${triage.visible(member.entity, 40)} · ${triage.visible(value + usual, 120)} · 1 of ${row.size} read`),
    );
    return item;
  };

  /** Show what the verdict would be about; Enter gives it. */
  triage.askBulk = async (kind) => {
    if (kind === "expected") {
      return triage.emit("trouble", { text: "Expected needs a scope of its own for each: one at a time." });
    }
    const answers = await Promise.all(
      [...chosen].map((id) => triage.request("GET", `/clusters/${encodeURIComponent(id)}?members=1`)),
    );
    if (window.location.pathname !== "/") return; // left meanwhile
    const details = answers.filter(({ status }) => status === 200).map(({ data }) => data);
    const open = details.filter(({ row, members }) => members.length && row.status !== "decided");
    if (!open.length) return triage.emit("trouble", { text: "None of them is open any more." });
    sheetFor = { kind, details: open };
    const many = open.length === 1 ? "1 cluster" : `${open.length} clusters`;
    triage.byId("bulk-title").textContent = `${triage.words[kind]}: ${many}, each with its own verdict`;
    triage.byId("bulk-list").replaceChildren(...open.map(line));
    sheet().showModal();
    sheet().querySelector("[data-action='bulk-give']").focus();
  };
  triage.on("action:bulk-give", () => {
    sheet().close();
    const reason = triage.takeReason();
    for (const detail of sheetFor.details) triage.decideListed(detail, sheetFor.kind, reason);
    triage.dropChosen();
  });
  triage.on("action:bulk-cancel", () => sheet().close());
  window.addEventListener("popstate", () => sheet().close());
})();
