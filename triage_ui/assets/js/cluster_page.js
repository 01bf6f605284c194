/* The cluster page: its members, the one that is pointed at, and staying up to date. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  let ticks = 0;
  let api = null;
  let paintRow = null; // marks the row that is pointed at
  let shown = null; // its candidate id
  let listed = null; // the cluster whose members the grid lists

  const here = () => {
    const match = /^\/cluster\/([^/]+)$/.exec(window.location.pathname);
    return match ? decodeURIComponent(match[1]) : null;
  };
  const tick = triage.throttle(400, () => here() && triage.setProps("cluster-tick", { data: ++ticks }));

  const datasource = {
    getRows: async (params) => {
      const cluster = here();
      if (!cluster) return params.successCallback([], 0);
      const limit = params.endRow - params.startRow;
      const path = `/clusters/${encodeURIComponent(cluster)}/members?offset=${params.startRow}&limit=${limit}`;
      const { status, data } = await triage.request("GET", path);
      if (here() !== cluster || !api || api.isDestroyed()) return; // left meanwhile
      if (status !== 200) return params.failCallback();
      const end = data.members.length < limit ? params.startRow + data.members.length : -1;
      params.successCallback(data.members, end);
      if (params.startRow > 0) return;
      fit(data.members.length);
      setTimeout(look, 100); // the rows are drawn a moment later
      if (shown === null && data.members.length) point(data.members[0]);
    },
  };

  /* Rows of the list that have stood on the screen count as read, beside the strongest few. */
  const seen = new Set();
  const MOST = 1000; // that a verdict can name
  triage.alsoRead = (cluster) => (cluster === listed ? [...seen].slice(0, MOST) : []);

  const look = triage.throttle(150, () => {
    const frame = triage.byId("members-frame");
    if (!frame || here() !== listed) return;
    const place = frame.getBoundingClientRect();
    const top = Math.max(place.top, 0);
    const bar = document.querySelector(".decision-bar").getBoundingClientRect();
    const end = bar.left < place.right ? bar.top : window.innerHeight; // on a narrow screen it lies below
    const bottom = Math.min(place.bottom, end);
    for (const row of frame.querySelectorAll(".ag-row[row-id]")) {
      const box = row.getBoundingClientRect();
      const loaded = api && !api.isDestroyed() && api.getRowNode(row.getAttribute("row-id"));
      if (loaded && loaded.data && box.top >= top && box.bottom <= bottom) seen.add(loaded.id);
    }
    tellRead();
  });

  /** Say in the consequences how many a verdict given now is about. */
  const tellRead = () => {
    const subject = triage.byId("subject");
    if (!subject || subject.dataset.cluster !== listed) return;
    const named = subject.dataset.read.split(" ").filter(Boolean);
    const read = new Set(named.concat(triage.alsoRead(listed))).size;
    const others = Math.max(0, Number(subject.dataset.total) - read);
    const write = (element, text) => element.textContent !== text && (element.textContent = text);
    for (const one of document.querySelectorAll("[data-count='read']")) {
      write(one, `${read.toLocaleString("en")} member${read === 1 ? "" : "s"}`);
    }
    for (const one of document.querySelectorAll("[data-count='others']")) {
      write(one, others.toLocaleString("en"));
    }
    for (const rest of document.querySelectorAll("[data-rest]")) rest.hidden = others === 0;
  };
  triage.on("drawn", ({ id }) => id === "cluster-side" && tellRead());
  document.addEventListener("scroll", () => here() && look(), { capture: true, passive: true });
  window.addEventListener("resize", () => here() && look());

  /** The grid is as high as its rows, up to what a screen shows. */
  const fit = (rows) => {
    const frame = triage.byId("members-frame");
    if (frame) frame.style.height = `${36 + 34 * Math.min(Math.max(rows, 1), 12)}px`;
  };

  const point = (member) => {
    shown = member.candidate_id;
    paintRow(shown);
    triage.setProps("member", { data: shown });
  };

  /** Called by Dash when the members' columns have come, or the cluster was read anew. */
  triage.mountCluster = async (columns) => {
    if (!columns || !columns.length) return;
    const same = listed === here();
    const there = api && !api.isDestroyed();
    if (same && there) return api.refreshInfiniteCache();
    listed = here();
    seen.clear();
    shown = null;
    triage.dropPicks();
    if (there) return api.purgeInfiniteCache();
    const cluster = listed;
    await triage.ownGrid("members-grid", () => here() === cluster, datasource, (grid) => {
      api = grid;
      paintRow = triage.gridCursor("members-grid");
      // A click focuses a cell, and so do the arrow keys.
      grid.addEventListener("cellFocused", ({ rowIndex }) => {
        const row = rowIndex === null ? null : grid.getDisplayedRowAtIndex(rowIndex);
        if (row && row.data) point(row.data);
      });
    });
  };

  triage.on("change", (change) => {
    const cluster = here();
    if (!cluster) return;
    const about =
      change.data.cluster_id === cluster ||
      (change.data.ids || []).includes(cluster) ||
      change.kind === "learned" ||
      change.kind === "published";
    if (about) tick();
  });
  triage.on("hello", ({ again }) => again && tick());
  triage.on("reset", tick);
  triage.on("action:record", () => triage.showTab("record"));
  triage.on("regrouped", () => {
    tick();
    if (api && !api.isDestroyed()) api.purgeInfiniteCache();
  });
  triage.on("saved", tick);
  triage.on("undone", tick);
})();
