/* What a row paints: React elements of plain text, so that no stream can write markup here. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const make = (...parts) => window.React.createElement(...parts);
  const span = (className, text, more) => make("span", { className, ...more }, text);

  let strongest = 1;
  /** Bars are drawn to the largest push among the rows seen, so that rows compare. */
  triage.noteRows = (rows) => {
    for (const row of rows) {
      for (const reason of row.top) strongest = Math.max(strongest, Math.abs(reason.contribution));
    }
  };

  triage.shape = (kind) => span("shape shape-" + kind, null, { "aria-hidden": true });

  const STATES = {
    sending: "saving",
    unsaved: "not saved",
    pending: "pending",
    recorded: "recorded",
    published: "published",
    conflict: "not counted",
    refused: "refused",
  };
  triage.stateText = (mark) =>
    [mark.by ? "by " + triage.visible(mark.by, 40) : "", STATES[mark.state] || mark.state]
      .concat(mark.learned ? "learned" : "")
      .filter(Boolean)
      .join(" · ");

  const mark = (row) => triage.markOf && triage.markOf(row.cluster_id);

  const cell = (name, paint) => {
    cells[name] = (props) => (props.data ? paint(props.data, props) : span("skeleton", null));
  };

  cell("TriageWorth", (row) => span("worth", row.worth.toFixed(1)));
  const looks = (row) => {
    const [name] = triage.watchers(row.cluster_id);
    return name ? span("who-looks", triage.visible(name, 40) + " looks · ") : null;
  };
  cell("TriageCluster", (row) =>
    make(
      "div",
      { className: "cluster-cell" },
      make("bdi", { className: "cluster-title", title: triage.visible(row.title, 500) }, triage.visible(row.title)),
      make(
        "bdi",
        { className: "cluster-sub" },
        looks(row),
        [triage.visible(row.stream, 60), triage.visible(row.subtitle, 200)].filter(Boolean).join(" · "),
      ),
    ),
  );
  cell("TriageWhy", (row) => {
    const text = row.top
      .map((reason) => `${triage.visible(reason.label, 60)} ${reason.contribution >= 0 ? "+" : "−"}${Math.abs(reason.contribution).toFixed(2)}`)
      .join(", ");
    const bars = row.top.slice(0, 3).map((reason, index) =>
      make("i", {
        key: index,
        className: reason.contribution >= 0 ? "towards" : "away",
        style: { height: Math.max(8, (100 * Math.abs(reason.contribution)) / strongest) + "%" },
      }),
    );
    return make("span", { className: "why", role: "img", "aria-label": text, title: text }, bars);
  });
  cell("TriageScore", (row) => {
    const [strongest, weakest] = [row.score, row.weakest].map((score) => (score == null ? "–" : score.toFixed(1)));
    if (row.size < 2 || weakest === strongest) return span("", strongest);
    const title = `Its members score ${weakest} to ${strongest}`;
    return make("span", { className: "score", title }, `${strongest} `, span("score-from", `from ${weakest}`));
  });
  cell("TriageMembers", (row) => span("", row.size.toLocaleString("en-GB")));
  cell("TriageAge", (row) =>
    span("age", triage.span(triage.now() - row.created_at), { "data-since": row.created_at }),
  );
  cell("TriageSuggested", (row) => {
    const given = mark(row);
    const held = triage.heldFor(row.cluster_id);
    if (held) return chip(held, triage.words[held], "once its members are here");
    if (!given && row.verdict) return chip(row.verdict, triage.words[row.verdict], "decided");
    if (!given) return chip(row.suggested, triage.suggestionText(row), "");
    return chip(given.kind, triage.words[given.kind], triage.stateText(given));
  });
  cell("TriageWho", (row) => make("bdi", { className: "who-cares" }, triage.visible(row.assignee, 40)));
  /** "7 of 9": of the decided clusters like it so many were real. */
  cell("TriagePast", (row) => {
    const total = Object.values(row.similar || {}).reduce((sum, count) => sum + count, 0);
    if (!total) return span("quiet", "–", { title: "Nothing like it has been decided" });
    const real = row.similar.real || 0;
    return span("past-ratio", `${real} of ${total}`, { title: `${real} of ${total} cases like it were real` });
  });
  const chip = (kind, text, state) =>
    make(
      "span",
      { className: "suggested" },
      make("span", { className: "chip chip-" + kind }, triage.shape(kind), text),
      state ? span("chip-state", state) : null,
    );

  cell("TriagePick", (member) =>
    make("input", {
      type: "checkbox",
      "data-pick": member.candidate_id,
      defaultChecked: triage.isPicked(member.candidate_id),
      "aria-label": "Pick the member of " + triage.utc(member.event_time),
    }),
  );
  cell("TriageTime", (member) => span("", triage.utc(member.event_time)));
  cell("TriageEntity", (member, props) => {
    const value = member.entities[props.name];
    if (value === undefined || value === "") return make("bdi", null, "");
    const href = triage.entityAddress(props.name, value);
    return make("a", { href, className: "link", "data-nav": "" }, make("bdi", null, triage.visible(value, 200)));
  });
  cell("TriageReason", (member, props) => {
    const reason = member.reasons.find((one) => one.feature === props.feature);
    const usual = reason && reason.usual ? "usually " + triage.visible(reason.usual, 100) : undefined;
    return make("bdi", { title: usual }, reason ? triage.visible(reason.text, 200) : "–");
  });
  cell("TriagePosterior", (member) => span("", triage.percent(member.posterior)));
  cell("TriageState", (member) => span("member-" + member.state, member.state));

  /* The grid asks these again whenever a row's data change, and the row drops what no longer holds. */
  functions.triageIsChosen = ({ data }) => Boolean(data) && triage.isChosen(data.cluster_id);
  functions.triageIsDecided = ({ data }) => Boolean(data && (mark(data) || data.verdict));
  functions.triageIsUnsaved = ({ data }) => Boolean(data) && (mark(data) || {}).state === "unsaved";

  /** The grid wears the board's colours; being variables, they follow the scheme by themselves. */
  functions.triageTheme = (quartz) =>
    quartz.withParams({
      accentColor: "var(--accent)",
      backgroundColor: "var(--background)",
      foregroundColor: "var(--ink)",
      borderColor: "var(--line)",
      rowBorder: { color: "var(--line-2)" },
      wrapperBorder: false,
      wrapperBorderRadius: 0,
      headerBackgroundColor: "var(--background)",
      headerTextColor: "var(--ink-3)",
      headerFontWeight: 500,
      headerFontSize: 11,
      headerColumnResizeHandleColor: "transparent",
      headerRowBorder: { color: "var(--line)" },
      columnBorder: false,
      cellHorizontalPadding: 10,
      fontFamily: "inherit",
      fontSize: 13,
      rowHoverColor: "var(--hover)",
      oddRowBackgroundColor: "transparent",
    });

  setInterval(() => {
    for (const age of document.querySelectorAll(".age[data-since]")) {
      age.textContent = triage.span(triage.now() - Number(age.dataset.since));
    }
  }, 15000);
})();
