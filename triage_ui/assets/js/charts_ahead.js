/*
 * The library that draws charts takes a second to start, in which no key is heard: it starts while
 * nobody acts, before a first chart asks for it.
 */
(() => {
  "use strict";

  const STILL_MS = 3000;
  const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel"];
  let timer = null;

  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(load, STILL_MS);
  };
  const load = () => {
    for (const sign of SIGNS) document.removeEventListener(sign, wait, true);
    const address = window._dashPlotlyJSURL; // where Dash itself would read it
    if (window.Plotly || document.querySelector(`script[src="${address}"]`)) return;
    const script = document.createElement("script");
    script.src = address;
    // A chart that comes meanwhile waits for this, and the library then takes its place.
    window.Plotly = new Promise((resume) => {
      script.onload = resume;
      script.onerror = () => resume((window.Plotly = undefined));
    });
    document.head.append(script);
  };

  window.triage.on("start", () => {
    for (const sign of SIGNS) document.addEventListener(sign, wait, { capture: true, passive: true });
    wait();
  });
})();
