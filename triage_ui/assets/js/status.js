/* The numbers of the frame, as the board's status tells them: place -> what is in it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const shown = {};

  triage.on("drawn", (sent) => {
    if (sent.id !== "status") return;
    for (const [id, content] of Object.entries(JSON.parse(sent.dataset.drawn))) {
      const text = JSON.stringify(content);
      if (shown[id] === text) continue;
      shown[id] = text;
      const place = triage.byId(id);
      const focused = [...place.children].indexOf(document.activeElement);
      place.replaceChildren(...triage.nodes(content));
      if (place.children[focused]) place.children[focused].focus();
    }
  });
})();
