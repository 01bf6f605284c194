/*
 * Dash's own reads when the server is away or the session has ended: no update instead of an error
 * (its renderer reads a refused answer's body twice and fails), and read again when it is back.
 */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const CALLBACK = "/_dash-update-component";
  const plain = window.fetch.bind(window);
  const noUpdate = () => new Response(null, { status: 204 });
  let missedPage = false;

  /* What Dash reads first, asked for while its scripts still come; the page comes with the layout. */
  const ask = (address) => plain(address).catch(() => null);
  const ahead = new Map([
    ["/_dash-layout", ask("/_dash-layout?page=" + encodeURIComponent(window.location.pathname))],
    ["/_dash-dependencies", ask("/_dash-dependencies")],
  ]);

  window.fetch = async (input, options) => {
    const address = typeof input === "string" ? input : input.url;
    const early = await ahead.get(address);
    ahead.delete(address);
    if (early && early.status === 401) triage.emit("signed-out");
    if (early && early.ok) return early; // else asked again
    if (!address.includes(CALLBACK)) return plain(input, options);
    let answer = null;
    try {
      answer = await plain(input, options);
    } catch {
      // The live chip says so already.
    }
    if (answer && answer.status === 401) triage.emit("signed-out");
    if (answer && answer.status !== 401 && answer.status !== 503) return answer;
    missedPage = missedPage || String(options && options.body).includes("page.children");
    triage.emit("missed");
    return noUpdate();
  };

  triage.on("hello", () => {
    if (!missedPage) return;
    missedPage = false;
    triage.setProps("url", { pathname: window.location.pathname });
  });
})();
