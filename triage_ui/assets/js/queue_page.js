/* The queue page: the cursor, the rows around it, what is new. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const GRID = "queue-grid";
  const PREVIEW_MS = 120; // while the cursor runs, one preview in so many ms

  const HAND_MS = 900; // since the pointer last moved over the rows
  const TOUCH_MS = 700; // between two looks at what is new: a new row is to show within 1.5 s
  const TOUCH_TIMES = 8; // and so many times as long as the look took
  const ROW_PX = 46;
  const AHEAD_MS = 50; // a scroll bar that is dragged passes by rows that nobody reads
  /* px of the grid from which these have their columns: titles come first. */
  const FROM_WIDTH = {
    score: 940,
    members: 860, // title or subtitle say it too
    who: 760,
    past: 680,
  };

  let api = null;
  let paintRow = null; // marks the row under the cursor
  let view = null;
  let at = { id: null, index: -1 };
  let hidden = false; // the cursor's row has not come yet
  let wasEmpty = false;
  let fresh = 0;
  let cursorCount = 0;
  let reading = 0; // blocks of rows on their way to the grid
  let stale = false; // repaint once they have come

  triage.cursor = () => (onPage() ? at.id : null);
  /** Whether the page that the address names is still being read. */
  triage.isComing = () => {
    if (window.location.pathname === "/") return !view || view.total === null;
    return window.location.pathname.startsWith("/cluster/") && !document.querySelector(".missing");
  };
  /** Whether the queue has a cluster, or may have it among the rows that are on their way. */
  triage.isListed = (cluster) =>
    Boolean(view && (view.total === null || view.loading || view.ids.has(cluster)));
  const onPage = () => Boolean(api && !api.isDestroyed() && triage.byId(GRID));

  const fetchPage = async (offset, limit) => {
    const query = triage.filters.query({ offset, limit });
    const { status, data } = await triage.request("GET", "/queue?" + query);
    if (status !== 200) throw new Error(data ? data.detail : String(status));
    triage.noteRows(data.rows);
    return data;
  };

  const datasource = {
    getRows: async (params) => {
      const mine = view;
      reading += 1;
      try {
        const rows = await mine.slice(params.startRow, params.endRow);
        if (!onPage()) return; // left meanwhile
        if (mine !== view) return params.failCallback(); // an answer of an older filter
        params.successCallback(rows, mine.count);
        settle();
      } catch (error) {
        if (!onPage()) return;
        params.failCallback();
        triage.emit("trouble", { text: `The queue can't be read: ${error.message}`, retry: "reload" });
      } finally {
        reading -= 1;
        if (!reading && stale) repaint();
      }
    },
  };

  /** After rows have come: place the cursor, say whether there is nothing. */
  const settle = () => {
    const empty = view.count === 0;
    if (empty || empty !== wasEmpty) sayEmpty(empty);
    if (empty) return setCursor(-1);
    if (at.index < 0 || !view.ids.has(at.id)) {
      const wanted = triage.filters.cluster();
      const index = wanted ? view.indexOf(wanted) : 0;
      return setCursor(Math.max(0, index));
    }
    paintRow(at.id);
    if (hidden) reveal();
  };

  const sayEmpty = (empty) => {
    wasEmpty = empty;
    document.body.classList.toggle("queue-is-empty", empty);
    triage.setProps("queue-state", { data: { empty, filters: triage.filters.named() } });
  };
  triage.on("pulse", () => wasEmpty && onPage() && sayEmpty(true));

  const setCursor = (index, options = {}) => {
    const row = view.rows[index];
    at = { id: row ? row.cluster_id : null, index: row ? index : -1 };
    if (!onPage()) return;
    reveal(); // first: the grid measures the page, which costs a layout once anything has changed
    paintRow(at.id);
    triage.filters.remember(at.id);
    if (row && options.say) triage.announce(say(row, index));
    document.body.classList.toggle("preview-stale", Boolean(row));
    // The rows are painted first.
    requestAnimationFrame(() => setTimeout(showPreview));
    triage.emit("cursor", row || null);
  };

  /** Scroll to the cursor, as soon as the grid has its row. */
  const reveal = () => {
    hidden = at.index >= api.getDisplayedRowCount();
    if (at.index >= 0 && !hidden) api.ensureIndexVisible(at.index);
  };

  const say = (row, index) =>
    `${triage.visible(row.title, 200)}. ${triage.suggestionText(row)}. ${index + 1} of ${view.count}.`;

  /** At once, and again when a cursor that ran on has come to rest. */
  const showPreview = triage.throttle(PREVIEW_MS, () => {
    triage.setProps("cursor", { data: { cluster: at.id, count: ++cursorCount } });
    if (at.id && at.id === askedOf) askWhen(at.id); // again: an answer like the last draws nothing
  });

  /* The drawing of *when* reads many events: it is asked for once the rest of the preview is there. */
  let askedOf = null;
  const askWhen = (cluster) => {
    askedOf = cluster;
    triage.setProps("when", { "data-cluster": cluster });
  };
  const placeWhen = () => {
    const place = triage.byId("preview-when");
    const kept = triage.byId("when");
    const [when] = place && kept ? triage.drawnIn(kept) : [];
    if (when && when.dataset.cluster === place.dataset.cluster) place.replaceChildren(when);
  };
  triage.on("drawn", ({ id }) => {
    if (id === "preview" || id === "when") placeWhen();
    const place = id === "preview" && triage.byId("preview-when");
    if (place && place.dataset.cluster !== askedOf) askWhen(place.dataset.cluster);
  });

  /**
   * Hand the view's rows to the grid again; it repaints what differs. Not while rows are on their way:
   * it would throw them away and ask again, and never show any that take longer than the next change.
   */
  const repaint = () => {
    stale = reading > 0;
    if (stale || !onPage()) return;
    readAhead();
    api.setRowCount(Math.max(view.count ?? 0, 1), true);
    api.refreshInfiniteCache();
  };

  /** What is on the screen far down, in one question instead of one for each of the grid's blocks. */
  const readAhead = () => {
    if (!view || !onPage()) return;
    const viewport = triage.byId(GRID).querySelector(".ag-body-viewport");
    const first = Math.floor(viewport.scrollTop / ROW_PX);
    const last = first + Math.ceil(viewport.clientHeight / ROW_PX);
    const beyond = api.getGridOption("rowBuffer");
    view.ahead(Math.max(0, first - beyond), last + beyond, api.getGridOption("cacheBlockSize"));
  };

  const repaintRow = (cluster) => {
    if (!onPage()) return;
    const node = api.getRowNode(cluster);
    if (!node) return;
    node.updateData(node.data); // not anew: nine cells would be made again
    paintRow(at.id); // the grid says of a row that it is not selected: it knows no cursor
  };

  const showFresh = (count) => {
    fresh = count;
    const button = triage.byId("new-rows");
    if (!button) return;
    button.hidden = fresh === 0;
    triage.setProps("new-count", { children: `${fresh.toLocaleString("en-GB")} new` });
  };

  const reload = () => {
    view = new triage.QueueView(fetchPage);
    showFresh(0);
    if (onPage()) {
      api.setRowCount(1, false);
      api.purgeInfiniteCache();
    }
  };

  /** The fresh order from the top; the cursor stays with its cluster if that is still there. */
  triage.showNew = async () => {
    try {
      const next = await view.reorder(0);
      const index = next.indexOf(at.id);
      view = next;
      showFresh(0);
      at.index = index;
      repaint();
      setCursor(Math.max(0, index));
      triage.announce(`${view.count} clusters.`);
    } catch (error) {
      triage.emit("trouble", { text: `The queue can't be read: ${error.message}` });
    }
  };

  /** The order below the cursor, anew: what is above and under it holds its place. */
  const reorderBelow = async () => {
    if (!view || !onPage() || view.total === null) return;
    const before = view;
    const next = await before.reorder(at.index + 1).catch(() => null);
    if (next === null || before !== view) return;
    view = next;
    showFresh(0);
    repaint();
    if (view.count === 0) settle();
  };

  /** Whether rows end above the end of the screen: new ones move nothing that is seen. */
  const hasRoom = () => view.rows.length < triage.byId(GRID).clientHeight / ROW_PX - 1;

  const touch = triage.paced(TOUCH_MS, TOUCH_TIMES, async () => {
    if (!view || !onPage() || view.total === null) return;
    if (view.count === 0) return reload();
    const mine = view;
    const count = await mine.touch().catch(() => null);
    if (count === null || mine !== view) return;
    showFresh(count);
    repaint();
    if (count && onPage() && hasRoom()) fillSoon();
  });

  /** Rows don't move under a hand that is about to click one. */
  let pointed = 0;
  document.addEventListener("pointermove", (event) => {
    if (event.target.closest && event.target.closest("." + GRID)) pointed = performance.now();
  });
  const handAway = async () => {
    for (let i = 0; i < 20 && performance.now() - pointed < HAND_MS; i++) {
      await new Promise((resume) => setTimeout(resume, HAND_MS / 2));
    }
  };
  const reorderSoon = triage.throttle(600, async () => {
    await handAway();
    await reorderBelow();
  });
  const fillSoon = triage.throttle(600, async () => {
    await handAway();
    if (onPage() && hasRoom()) await reorderBelow();
  });

  triage.on("change", (change) => {
    if (change.kind === "clusters") {
      touch();
      if ((change.data.ids || []).includes(at.id)) showPreview();
    }
    if (change.kind === "learned") {
      reorderSoon();
      showPreview();
    }
    if (change.kind === "verdict" && change.data.cluster_id === at.id) showPreview();
  });
  triage.on("reset", () => onPage() && triage.showNew());
  triage.on("hello", ({ again }) => {
    if (!again) return;
    touch();
    if (at.id && onPage()) showPreview();
  });

  triage.on("mark", ({ cluster }) => repaintRow(cluster));
  triage.on("repaint", repaintRow);
  triage.on("watched", repaintRow);
  triage.on("held", (cluster) => cluster && repaintRow(cluster));

  const waits = (row) => !triage.markOf(row.cluster_id) && !row.verdict;
  /** A verdict was given: on to the next cluster that waits for one and nobody else looks at. */
  triage.on("decided", (entry) => {
    if (!onPage() || entry.cluster !== at.id) return;
    const next = view.rows.findIndex(
      (row, index) => index > at.index && waits(row) && !triage.watchers(row.cluster_id).length,
    );
    if (next >= 0) setCursor(next);
    else finished();
  });

  /** Nothing below waits: read the order anew once the last verdict is saved. */
  const finished = () => triage.on.once("saved", () => setTimeout(() => onPage() && triage.showNew(), 900));

  triage.on("undone", async ({ cluster }) => {
    if (!view) return;
    const { status, data } = await triage.request("GET", `/clusters/${encodeURIComponent(cluster)}?members=0`);
    if (status !== 200 || !onPage()) return;
    if (!view.ids.has(cluster)) return triage.showNew();
    view.take(data.row);
    repaint();
    setCursor(view.indexOf(cluster));
  });

  const step = (by) => {
    if (!view || at.index < 0) return;
    const index = Math.min(view.rows.length - 1, Math.max(0, at.index + by));
    if (index === at.index) return;
    if (onPage()) setCursor(index, { say: true });
    else if (window.location.pathname.startsWith("/cluster/")) {
      at = { id: view.rows[index].cluster_id, index };
      triage.filters.remember(at.id);
      triage.openCluster();
    }
    // Read ahead before the end of what is known.
    if (index > view.rows.length - 20 && !view.complete) view.more().then(repaint, () => null);
  };
  const chooseUpTo = (index) => {
    const [from, to] = [Math.min(index, at.index), Math.max(index, at.index)];
    for (const row of view.rows.slice(Math.max(0, from), to + 1)) triage.choose(row.cluster_id, true);
  };
  /** Choose the cluster under the cursor and the one after it, or before it. */
  triage.extend = (by) => {
    if (!onPage() || at.index < 0) return;
    triage.choose(at.id, true);
    step(by);
    triage.choose(at.id, true);
  };
  triage.next = () => step(1);
  triage.previous = () => step(-1);
  triage.openCluster = () => at.id && triage.go("/cluster/" + encodeURIComponent(at.id));
  triage.on("filters", () => {
    at = { id: null, index: -1 };
    reload();
  });
  triage.on("action:show-new", () => triage.showNew());

  /** Called by Dash when the grid has come to the page. */
  triage.mountQueue = async (id) => {
    triage.filters.read();
    const returning = view !== null;
    view = view || new triage.QueueView(fetchPage);
    if (!returning) view.more().catch(() => null); // while the grid is made, which asks again if need be
    const here = () => window.location.pathname === "/";
    const came = await triage.ownGrid(id, here, datasource, (grid) => {
      api = grid;
      paintRow = triage.gridCursor(id);
      grid.addEventListener("rowClicked", (event) => {
        if (!event.data || !event.data.cluster_id) return;
        const { ctrlKey, metaKey, shiftKey } = event.event || {};
        if (ctrlKey || metaKey) return triage.choose(event.data.cluster_id);
        if (shiftKey) chooseUpTo(event.rowIndex);
        setCursor(event.rowIndex);
      });
      grid.addEventListener("rowDoubleClicked", () => triage.openCluster());
      const fitColumns = (width) => {
        for (const [column, least] of Object.entries(FROM_WIDTH)) {
          const fits = width >= least;
          if (grid.getColumn(column).isVisible() !== fits) grid.setColumnsVisible([column], fits);
        }
      };
      const viewport = triage.byId(id).querySelector(".ag-body-viewport");
      viewport.addEventListener("scroll", triage.throttle(AHEAD_MS, readAhead));
      grid.addEventListener("gridSizeChanged", (event) => fitColumns(event.clientWidth));
      fitColumns(triage.byId(id).clientWidth);
    });
    if (came && returning && at.index >= 0) {
      setCursor(at.index);
      touch();
    }
  };
})();
