/* Text for people: the twin of text.py for what is painted in the browser. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  // eslint-disable-next-line no-control-regex
  const CONTROLS =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

  triage.words = {
    real: "Real",
    spurious: "Spurious",
    expected: "Expected",
    pipeline_fault: "Pipeline fault",
    unsure: "Unsure",
  };

  /** Text with nothing in it that hides or turns other text, cut at `limit`. */
  triage.visible = (text, limit = 300) => {
    const raw = String(text ?? "");
    const shown = raw
      .slice(0, limit)
      .replace(CONTROLS, (c) => "<U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + ">");
    return raw.length > limit ? shown + " …" : shown;
  };

  triage.entityAddress = (name, value) =>
    `/entity/${encodeURIComponent(name)}/${encodeURIComponent(value)}`;

  triage.span = (seconds) => {
    const s = Math.max(0, seconds);
    if (s < 90) return Math.round(s) + " s";
    if (s < 5400) return Math.round(s / 60) + " min";
    if (s < 172800) return +(s / 3600).toFixed(1) + " h";
    return +(s / 86400).toFixed(1) + " d";
  };

  triage.percent = (share) => {
    const whole = Math.round(100 * share);
    if (whole >= 100) return ">99 %";
    return whole > 0 ? whole + " %" : "<1 %";
  };

  const NOT_REAL = new Set(["spurious", "expected"]);
  triage.suggestionText = (row) =>
    triage.words[row.suggested] +
    " " +
    triage.percent(NOT_REAL.has(row.suggested) ? 1 - row.posterior : row.posterior);

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  triage.utc = (at) => {
    const moment = new Date(at * 1000);
    const now = new Date(triage.now() * 1000);
    const time = moment.toISOString().slice(11, 19);
    if (moment.toISOString().slice(0, 10) === now.toISOString().slice(0, 10)) return time;
    const year = moment.getUTCFullYear() === now.getUTCFullYear() ? "" : moment.getUTCFullYear() + " ";
    return `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]} ${year}${time}`;
  };

  triage.moved = (rose, fell) => {
    if (!rose && !fell) return "no other cluster moved";
    return `${rose || "no"} cluster${rose === 1 ? "" : "s"} rose, ${fell || "none"} fell`;
  };

  /** Seconds since 1970 by the server's clock: ages must not depend on this machine's. */
  let ahead = 0;
  triage.setServerTime = (at) => (ahead = at - Date.now() / 1000);
  triage.now = () => Date.now() / 1000 + ahead;
})();
