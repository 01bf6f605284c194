/* Begins when Dash has painted the frame. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.triage = {
    mountQueue: (id) => {
      triage.mountQueue(id);
      return window.dash_clientside.no_update;
    },
    mountCluster: (columns) => {
      triage.mountCluster(columns);
      return window.dash_clientside.no_update;
    },
    tabWanted: triage.tabWanted,
    tabChosen: triage.tabChosen,
    pickedRange: triage.pickedRange,
  };

  const begin = () => {
    if (!triage.byId("page") || !window.dash_clientside.set_props) {
      setTimeout(begin, 20);
      return;
    }
    triage.emit("start");
  };
  begin();
})();
