/* A grid that reads from our own datasource: dash-ag-grid's keeps one request and dies of one error. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const TRIES = 500;

  /** Once the grid has dash-ag-grid's datasource: `prepare(api)`, then replace that one by ours. */
  triage.ownGrid = async (id, datasource, prepare) => {
    for (let i = 0; i < TRIES; i++) {
      const api = await window.dash_ag_grid.getApiAsync(id);
      if (!api.isDestroyed() && api.getGridOption("datasource")) {
        prepare(api);
        api.setGridOption("datasource", datasource);
        return;
      }
      await new Promise((resume) => setTimeout(resume, 10));
    }
    throw new Error(`the grid ${id} did not come`);
  };
})();
