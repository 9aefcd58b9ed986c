// The inspector: each request to the app with its acknowledgement, each call of the Web API with its answer, and the
// switches for injected faults.

import { Refused, get, post, remove } from "./api.js";
import { h, icon, mint, reconcile } from "./dom.js";

const MOST_SHOWN = 300;
const MOST_KEPT = 2000;
const SLOW_MILLISECONDS = 1000;
const SHOWN = [["all", "All"], ["app", "To the app"], ["api", "Web API"]];

const KINDS = {
  rate_limited: { text: "Rate limit (429)", detail: "The call is not done; Retry-After is in the answer.", seconds: 2 },
  server_error: { text: "Server error (500)", detail: "The call is not done." },
  unavailable: { text: "Unavailable (503, HTML)", detail: "A proxy answers for Slack; the call is not done." },
  refused: { text: "Refusal (ok: false)", detail: "With the error below; the call is not done.", error: "is_archived" },
  slow: { text: "Slow call", detail: "The call waits, then is done.", seconds: 5 },
  late_answer: { text: "Late answer", detail: "The call is done at once and answered late.", seconds: 5 },
  lost_answer: { text: "Lost answer", detail: "The call is done; the connection is cut before the answer." },
  garbled: { text: "Odd answer (200, HTML)", detail: "The call is done; the answer is a proxy's page." },
  cut: { text: "Connection cut", detail: "The connection is cut before the call is done." },
};
const METHODS = [
  ["*", "every method"], ...["chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.update", "views.publish", "users.info",
    "conversations.history", "response_url"].map((method) => [method, method]),
];
const TIMES = [["1", "once"], ["3", "three times"], ["", "until it is ended"]];
const UPSETS = [
  ["cut", "Drop", "The network drops the connection without a close frame."],
  ["close", "Close", "Slack closes the connection."],
  ["disconnect", "Announce the end", "Slack says refresh_requested, then closes."],
  ["half_open", "Go silent", "The connection stays open and carries nothing."],
  ["slow", "Slow", "Every request to the app is delayed by two seconds."],
];

export function inspector({ pane, button, columns, users, channels }) {
  const log = new Map();
  const acts = new Map();
  let tab = "traffic";
  let shown = "all";
  let since = 0;
  let faults = [];
  let state = null;
  let remark = "";
  let drawing = false;

  const isOpen = () => !pane.hidden;
  const nameOf = (id) => users().find((user) => user.id === id)?.name ?? id ?? "";
  const channelName = (id) => {
    const channel = channels().find((each) => each.id === id);
    return channel && channel.kind !== "im" ? `#${channel.name}` : id ? `@${nameOf(channel?.with_user ?? id)}` : "";
  };

  button.append(icon("pulse"), h("span", { class: "only-wide" }, "Inspector"));
  button.setAttribute("aria-label", "Inspector");
  button.addEventListener("click", () => (isOpen() ? close() : openPane()));

  function openPane() {
    pane.hidden = false;
    columns.classList.add("shows-inspector");
    button.setAttribute("aria-expanded", "true");
    frame();
    pane.querySelector("h2").focus();
  }

  function close() {
    if (!isOpen()) return;
    pane.hidden = true;
    pane.replaceChildren();
    columns.classList.remove("shows-inspector");
    button.setAttribute("aria-expanded", "false");
    button.focus({ preventScroll: true });
  }

  function frame() {
    const tabs = [["traffic", "Traffic"], ["faults", "Faults"]].map(([name, word]) => h("button", {
      type: "button", class: "tab", "aria-current": tab === name ? "page" : null, data: { focus: name },
      on: { click: () => { tab = name; frame(); pane.querySelector(`[data-focus=${name}]`).focus(); } },
    }, word));
    pane.replaceChildren(
      h("header", { class: "pane-head" }, h("h2", { tabindex: "-1" }, "Inspector"), h("nav", { class: "tabs", "aria-label": "Inspector" }, tabs),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close inspector", on: { click: close } }, icon("close"))),
      tab === "traffic" ? traffic() : h("div", { class: "pane-body", id: "faults" }));
    if (tab === "traffic") draw();
    else void refreshFaults();
  }

  // --- traffic ---

  function traffic() {
    const list = h("ol", { id: "traffic", "aria-label": "Requests and calls", class: "traffic", tabindex: "0" });
    const filters = SHOWN.map(([name, word]) => h("button", {
      type: "button", class: "chip", "aria-pressed": String(shown === name), on: { click: (event) => {
        shown = name;
        for (const chip of filters) chip.setAttribute("aria-pressed", String(chip === event.currentTarget));
        draw();
      } },
    }, word));
    return h("div", { class: "pane-body" }, h("div", { class: "traffic-tools", role: "group", "aria-label": "Show" }, filters,
      h("button", { type: "button", class: "chip is-last", on: { click: () => { since = Date.now() / 1000; draw(); } } }, "Clear")), list);
  }

  const keyOf = (entry) => [entry.kind, entry.id, entry.attempt ?? "", entry.redelivered ? entry.at : ""].join("/");

  function remember(entry) {
    const key = keyOf(entry);
    if (entry.kind === "interaction") {
      acts.set(entry.request ?? entry.id, entry);
      // An act that the client held back has no request, so it gets its own line.
      if (entry.request || !entry.error) return;
    }
    log.delete(key);
    log.set(key, { ...entry, key });
    if (log.size > MOST_KEPT) log.delete(log.keys().next().value);
  }

  function draw() {
    if (drawing || !isOpen() || tab !== "traffic") return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      const list = pane.querySelector("#traffic");
      if (!list) return;
      const bottom = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
      const entries = [...log.values()].filter((entry) => entry.at > since && (shown === "all" || (shown === "api") === (entry.kind === "call")));
      entries.sort((one, other) => one.at - other.at || one.seq - other.seq);
      let start = 0;
      const rows = entries.slice(-MOST_SHOWN).map((entry) => {
        if (entry.kind !== "call") start = entry.at;
        return row(entry, start);
      });
      if (!rows.length) rows.push({ key: "empty", mark: "", make: () => h("li", { class: "empty" }, "Nothing yet. Requests to the app and calls from it appear here.") });
      reconcile(list, rows);
      if (bottom) list.scrollTop = list.scrollHeight;
    });
  }

  function row(entry, start) {
    const act = entry.kind === "request" ? acts.get(entry.id) : null;
    const mark = JSON.stringify([entry.seq, act?.seq, entry.kind === "call" ? start : 0]);
    return {
      key: entry.key, mark,
      make: (old) => {
        const told = { call: callTold, request: requestTold, interaction: heldBackTold }[entry.kind](entry, act);
        const when = entry.kind === "call" && start && entry.at - start < 60
          ? `+${Math.max(0, Math.round((entry.at - start) * 1000))} ms`
          : new Date(entry.at * 1000).toLocaleTimeString(undefined, { hour12: false });
        const details = h("details", { open: old?.querySelector("details")?.open },
          h("summary", { data: { focus: "row" } },
            h("span", { class: "row-when" }, when), h("span", { class: "row-what" }, told.what), h("span", { class: "row-who" }, told.who),
            h("span", { class: `row-answer is-${told.mood}` }, told.answer)));
        const fill = () => {
          if (details.open && details.children.length === 1) details.append(...inside(told.parts));
        };
        details.addEventListener("toggle", fill);
        fill();
        return h("li", { class: `row is-${entry.kind}` }, details);
      },
    };
  }

  const inside = (parts) => parts.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([title, value]) => h("div", { class: "row-part" },
    h("h3", {}, title), typeof value === "string" ? h("p", {}, value) : h("pre", { class: "json", tabindex: "0" }, JSON.stringify(value, null, 2))));

  function requestTold(entry, act) {
    const { ack } = entry;
    const again = entry.redelivered ? " (again)" : entry.attempt ? ` (try ${entry.attempt + 1})` : "";
    const failed = act?.error ?? ack?.error;
    const seen = { title: "Shown to the person", text: act?.error_seen };
    return {
      what: `→ ${requestWords(entry)}${again}`, who: nameOf(entry.payload.user_id ?? entry.payload.user?.id ?? entry.payload.event?.user),
      mood: failed ? "bad" : !ack ? "open" : ack.milliseconds > SLOW_MILLISECONDS ? "slow" : "good",
      answer: !ack ? "waiting" : failed ? `${failed} · ${Math.round(ack.milliseconds)} ms` : `ack ${Math.round(ack.milliseconds)} ms`,
      parts: [
        [seen.title, seen.text], ["Errors in the answer", act?.details?.length ? act.details : null],
        ["At the fields", act && Object.keys(act.field_errors).length ? act.field_errors : null],
        ["Acknowledgement", ack && { status: ack.status ?? undefined, error: ack.error ?? undefined, body: ack.body }],
        ["Posts to its response_url", act?.uses?.length ? act.uses : null],
        [`Payload (${entry.type}, ${entry.mode === "http" ? "HTTP" : "Socket Mode"}${entry.connection ? `, ${entry.connection}` : ""})`, entry.payload],
      ],
    };
  }

  function heldBackTold(entry) {
    return {
      what: `✕ ${entry.label}`, who: nameOf(entry.user), mood: "slow", answer: "not sent",
      parts: [["Shown to the person", entry.error_seen], ["At the fields", entry.field_errors]],
    };
  }

  function callTold(entry) {
    const { answer, status } = entry;
    const ok = status < 300 && answer?.ok !== false && answer !== null;
    const told = answer?.error ?? (typeof answer === "string" && !ok ? "" : "");
    return {
      what: `← ${entry.method}`, who: channelName(entry.arguments?.channel ?? entry.arguments?.channel_id),
      mood: ok ? "good" : "bad",
      answer: `${ok ? "ok" : [status && status !== 200 ? status : "", told || (status ? "" : "no answer")].filter(Boolean).join(" ") || "failed"} · ${Math.round(entry.milliseconds)} ms`,
      parts: [["Injected fault", entry.fault && (KINDS[entry.fault]?.text ?? entry.fault)], ["Arguments", entry.arguments], ["Answer", answer]],
    };
  }

  // --- faults ---

  async function tried(run) {
    remark = "";
    try {
      await run();
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      remark = problem.sentence;
    }
    await refreshFaults();
  }

  async function refreshFaults() {
    ({ faults } = await get("faults"));
    drawFaults();
  }

  function drawFaults() {
    const box = pane.querySelector("#faults");
    if (!box || !state) return;
    const parts = [
      { key: "remark", mark: remark, make: () => h("p", { class: "trouble", role: "alert", hidden: !remark }, remark) },
      { key: "active", mark: JSON.stringify(faults), make: active },
      { key: "new", mark: "", make: newFault },
      { key: "limits", mark: JSON.stringify(state.limits), make: limitsBox },
      { key: "wire", mark: JSON.stringify([state.mode, state.connections]), make: wireBox },
    ];
    reconcile(box, parts);
  }

  function active() {
    const rows = faults.map((fault) => h("li", { class: "fault" },
      h("span", {}, h("strong", {}, KINDS[fault.kind]?.text ?? fault.kind), ` on ${fault.method === "*" ? "every method" : fault.method}`,
        fault.channel && ` in ${channelName(fault.channel)}`, fault.seconds ? `, ${fault.seconds} s` : "", fault.error && `, ${fault.error}`,
        h("span", { class: "muted" }, ` ${fault.times === null ? "until ended" : `${fault.times} left`}, ${fault.hits} so far`)),
      h("button", { type: "button", class: "button", data: { focus: `fault-${fault.id}` }, on: { click: () => tried(() => remove(`faults/${fault.id}`)) } }, "End")));
    return h("section", { "aria-label": "Active faults" }, h("h3", {}, "Active"),
      rows.length ? h("ul", { class: "fault-list" }, rows) : h("p", { class: "muted" }, "No fault is active."),
      rows.length > 1 && h("button", { type: "button", class: "button", on: { click: () => tried(() => remove("faults")) } }, "End all"));
  }

  const line = (label, control) => {
    control.id = mint("fault");
    return h("div", { class: "form-line" }, h("label", { for: control.id }, label), control);
  };
  const choice = (label, name, options) => line(label, h("select", { name, class: "field" }, options.map(([value, text]) => h("option", { value }, text))));

  function newFault() {
    const detail = h("p", { class: "muted", id: "fault-detail" });
    const seconds = line("Seconds", h("input", { name: "seconds", class: "field", type: "number", min: "0", step: "0.5" }));
    const error = line("Error", h("input", { name: "error", class: "field", type: "text", autocomplete: "off" }));
    const form = h("form", { class: "fault-form" }, h("h3", {}, "Add a fault"),
      choice("Fault", "kind", Object.entries(KINDS).map(([kind, { text }]) => [kind, text])), detail,
      choice("Method", "method", METHODS),
      choice("Channel", "channel", [["", "any"], ...channels().filter((each) => each.kind !== "im").map((each) => [each.id, `#${each.name}`])]),
      choice("How often", "times", TIMES), seconds, error, h("button", { type: "submit", class: "button is-primary" }, "Add"));
    const fit = () => {
      const kind = KINDS[form.elements.kind.value];
      detail.textContent = kind.detail;
      seconds.hidden = kind.seconds === undefined;
      error.hidden = kind.error === undefined;
      form.elements.seconds.value = kind.seconds ?? 0;
      form.elements.error.value = kind.error ?? "";
    };
    form.elements.kind.addEventListener("change", fit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = Object.fromEntries(new FormData(form));
      void tried(() => post("faults", {
        ...given, channel: given.channel || null, times: given.times ? Number(given.times) : null, seconds: Number(given.seconds),
      }));
    });
    fit();
    return form;
  }

  function limitsBox() {
    const box = (name, text) => {
      const input = h("input", { type: "checkbox", checked: state.limits[name], data: { focus: `limit-${name}` } });
      input.addEventListener("change", () => tried(async () => {
        state.limits = await post("limits", { [name]: input.checked });
      }));
      return h("label", { class: "box" }, input, h("span", {}, text));
    };
    return h("section", { "aria-label": "Limits" }, h("h3", {}, "Slack's own limits"),
      box("posting", "One message a second in each channel"), box("tiers", "Calls a minute, by method"));
  }

  function wireBox() {
    const upset = (what, connection) => tried(() => post("sockets", { do: what, seconds: 2, ...(connection ? { connection } : {}) }));
    const rows = state.connections.map((connection) => h("li", { class: "fault is-stacked" },
      h("span", {}, h("strong", {}, connection.id), connection.half_open && " is silent", connection.delay_seconds > 0 && ` is ${connection.delay_seconds} s slow`),
      h("span", { class: "button-row" }, UPSETS.map(([what, word, why]) => h("button", {
        type: "button", class: "button", title: why, data: { focus: `${connection.id}-${what}` }, on: { click: () => upset(what, connection.id) },
      }, word)))));
    return h("section", { "aria-label": "Connections" }, h("h3", {}, state.mode === "http" ? "HTTP mode" : "Connections of the app"),
      state.mode === "http" ? h("p", { class: "muted" }, "Requests are posted to the app; there are no sockets.")
        : rows.length ? h("ul", { class: "fault-list" }, rows) : h("p", { class: "muted" }, "The app is not connected."),
      h("h3", {}, "Deliver the last request again"),
      h("span", { class: "button-row" },
        h("button", { type: "button", class: "button", data: { focus: "again" }, on: { click: () => tried(() => post("redeliver", { copies: 1 })) } }, "Once"),
        h("button", { type: "button", class: "button", data: { focus: "again-twice" }, on: { click: () => tried(() => post("redeliver", { copies: 2, at_once: true })) } }, "Twice, at the same moment")));
  }

  return {
    close,
    async begin() {
      const { entries } = await get("log", { after: 0 });
      for (const entry of entries) remember(entry);
      draw();
    },
    take(entry) {
      remember(entry);
      draw();
      if (entry.fault && isOpen() && tab === "faults") void refreshFaults();
    },
    show(told) {
      state = told;
      if (isOpen() && tab === "faults") drawFaults();
    },
  };
}

/** A request to the app in words: the command, button, choice, form or event. */
export function requestWords({ payload }) {
  if (payload.command) return `${payload.command} ${payload.text ?? ""}`.trim();
  const [action] = payload.actions ?? [];
  switch (payload.type) {
    case "block_actions":
      return `press ${action?.text?.text ?? action?.selected_option?.text?.text ?? action?.action_id ?? ""}`;
    case "view_submission":
      return `submit ${payload.view?.title?.text ?? ""}`;
    case "view_closed":
      return `close ${payload.view?.title?.text ?? ""}`;
    case "shortcut":
    case "message_action":
      return `shortcut ${payload.callback_id}`;
    case "block_suggestion":
      return `options for ${payload.action_id}: ${payload.value}`;
    case "event_callback":
      return `event ${payload.event?.type}`;
    default:
      return payload.type ?? "request";
  }
}
