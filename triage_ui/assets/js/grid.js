/* A grid that reads from our own datasource: dash-ag-grid's keeps one request and dies of one error. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const PATIENCE_MS = 60000; // its script comes when a first grid does
  const LOOK_MS = 10;

  const ready = (id) => {
    try {
      const api = window.dash_ag_grid.getApi(id);
      return !api.isDestroyed() && api.getGridOption("datasource") ? api : null;
    } catch {
      return null; // not there yet
    }
  };

  /**
   * Once the grid has dash-ag-grid's datasource: `prepare(api)`, then replace that one by ours.
   * Resolves to whether it was: `wanted()` says no when the page is left before the grid has come.
   */
  triage.ownGrid = async (id, wanted, datasource, prepare) => {
    const until = performance.now() + PATIENCE_MS;
    while (wanted()) {
      const api = ready(id);
      if (api) {
        prepare(api);
        api.setGridOption("datasource", datasource);
        return true;
      }
      if (performance.now() > until) throw new Error(`the grid ${id} did not come`);
      await new Promise((resume) => setTimeout(resume, LOOK_MS));
    }
    return false;
  };

  /**
   * Paint the row that the cursor of a grid is on; the function returned moves it to a row's id.
   *
   * Not by the grid's own selection: dash-ag-grid answers each change of it a moment later with a
   * question to the grid, which is gone by then if the page was left.
   */
  triage.gridCursor = (id) => {
    const frame = triage.byId(id);
    let wanted = null;
    const paint = () => {
      for (const row of frame.querySelectorAll(".ag-row")) {
        const here = wanted !== null && row.getAttribute("row-id") === wanted;
        row.classList.toggle("row-cursor", here);
        row.setAttribute("aria-selected", String(here));
      }
    };
    // Rows are made anew, and used again for others, as the grid scrolls.
    new MutationObserver(paint).observe(frame, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["row-id"],
    });
    return (row) => {
      wanted = row;
      paint();
    };
  };
})();
