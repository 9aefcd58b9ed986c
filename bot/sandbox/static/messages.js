// Messages as they are drawn: in a channel, in a thread, and the notices of Slackbot between them.
// `doing` is given by the page: {names, surface, openThread, useShortcut, redraw}.

import { filesOf } from "./beside.js";
import { attachmentsOf, blocksOf } from "./blocks.js";
import { lookInside } from "./dialogs.js";
import { h, icon, menuButton } from "./dom.js";
import { ago, dateWords, mrkdwn, spoken } from "./text.js";
import { face, fullName, keep, kept, mentionsMe, shownName, userOf, world } from "./world.js";

const SAME_BREATH_SECONDS = 300;

const dismissed = new Set(kept(sessionStorage, "dismissed", []));

/** The messages of the channel's own list, oldest first, with broadcast replies and without the others. */
export function drawnIn(channel) {
  const all = world.messages.get(channel) ?? [];
  const broadcast = all.flatMap((message) => message.replies.filter((reply) => reply.broadcast).map((reply) => ({ ...reply, root: message })));
  const notices = world.notices.filter((each) => each.channel === channel && !each.thread_ts && each.user === world.me.id);
  return [...all.filter((message) => !message.is_reply), ...broadcast, ...notices].filter(isThere).sort((one, other) => Number(one.ts) - Number(other.ts));
}

export function drawnInThread({ channel, ts }) {
  const all = world.messages.get(channel) ?? [];
  const root = all.find((message) => message.ts === ts);
  const hidden = all.filter((message) => message.is_reply && message.thread_ts === ts && message.only_you);
  const notices = world.notices.filter((each) => each.channel === channel && each.thread_ts === ts && each.user === world.me.id);
  const replies = [...(root?.replies ?? []), ...hidden, ...notices].filter(isThere);
  return { root, replies: replies.sort((one, other) => Number(one.ts) - Number(other.ts)) };
}

const isThere = (message) => !message.only_you || !dismissed.has(`${message.ts}/${message.edits}`);

/** Whether a message is drawn without a head, because the same author wrote the one before it. */
export function goesOn(last, message) {
  return Boolean(last) && last.author === message.author && !message.key && !last.key
    && last.only_you === message.only_you && !message.root && !last.root && !message.only_you
    && Number(message.ts) - Number(last.ts) < SAME_BREATH_SECONDS;
}

/** An entry for `reconcile`. */
export function messageItem(message, doing, { compact = false, inThread = false } = {}) {
  if (message.key) return { key: message.key, mark: message.text, make: () => noticeNode(message, doing) };
  const trouble = world.troubles.get(message.ts) ?? "";
  const ahead = message.root ? [message.root.text] : [];
  return {
    key: message.ts,
    mark: JSON.stringify([{ ...message, root: null }, ahead, compact, inThread, trouble, world.target === message.ts]),
    make: (old) => messageNode(message, doing, { compact, inThread, trouble, changed: Boolean(old) && old.edits !== message.edits }),
  };
}

function messageNode(message, doing, { compact, inThread, trouble, changed }) {
  const author = userOf(message.author);
  const where = { channel: message.channel, ts: message.ts };
  const surface = doing.surface("message", where, () => node, {
    trouble: (sentence) => {
      if ((world.troubles.get(message.ts) ?? "") === sentence) return;
      world.troubles.set(message.ts, sentence);
      doing.redraw();
    },
  });
  // A person's message is drawn from its text, with mentions and links; its block has the bare words.
  const words = message.blocks.length && message.origin !== "person"
    ? blocksOf(message.blocks, surface)
    : [h("div", { class: "b-text" }, mrkdwn(message.text, doing.names))];
  const mine = !message.by_app && message.author !== world.me.id && mentionsMe(message.text);
  const node = h("li", {
    class: ["message", compact && "is-compact", message.only_you && "is-only-you", mine && "is-for-me",
      changed && "is-changed", world.target === message.ts && "is-target"].filter(Boolean).join(" "),
    tabindex: "-1", "aria-label": `${shownName(author)}, ${dateWords(Number(message.ts), "{time}")}${message.only_you ? ", only visible to you" : ""}`,
  },
  message.only_you && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
  message.root && h("p", { class: "in-thread" }, icon("reply"), h("span", {}, "replied to a thread: "), h("button", {
    type: "button", class: "link-button", data: { focus: "root" }, on: { click: () => doing.openThread(message.channel, message.root.ts) },
  }, shortened(spoken(message.root.text, doing.names)))),
  compact ? h("span", { class: "gutter" }, timeNode(message.ts, "gutter-time")) : face(author),
  h("div", { class: "message-main" },
    !compact && h("p", { class: "message-head" },
      h("strong", { class: "author" }, author?.is_bot ? world.state.app.name : fullName(author)),
      message.by_app && h("span", { class: "app-badge" }, "APP"), timeNode(message.ts, "time")),
    h("div", { class: message.deleted ? "message-body muted" : "message-body" }, words, attachmentsOf(message.attachments, surface), filesOf(message.files)),
    message.edits > 0 && !message.deleted && h("span", { class: "edited", title: `Edited ${message.edits === 1 ? "once" : `${message.edits} times`}` }, "(edited)"),
    trouble && h("p", { class: "trouble", role: "alert" }, icon("warn"), trouble),
    message.only_you && h("button", { type: "button", class: "link-button dismiss", data: { focus: "dismiss" }, on: { click: () => dismiss(message, doing) } }, "Dismiss message"),
    !inThread && message.replies.length > 0 && threadSummary(message, doing)),
  toolbar(message, doing, { inThread }));
  node.edits = message.edits;
  return node;
}

function noticeNode({ key, ts, text }, doing) {
  return h("li", { class: "message is-only-you", tabindex: "-1", "aria-label": "Slackbot, only visible to you" },
    h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
    h("span", { class: "face is-slackbot", "aria-hidden": "true" }, "S"),
    h("div", { class: "message-main" },
      h("p", { class: "message-head" }, h("strong", { class: "author" }, "Slackbot"), timeNode(ts, "time")),
      h("div", { class: "message-body b-text" }, text),
      h("button", { type: "button", class: "link-button dismiss", data: { focus: "dismiss" }, on: { click: () => {
        world.notices = world.notices.filter((each) => each.key !== key);
        doing.redraw();
      } } }, "Dismiss message")));
}

function timeNode(ts, kind) {
  const date = new Date(Number(ts) * 1000);
  return h("time", { class: kind, datetime: date.toISOString(), title: date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" }) },
    dateWords(Number(ts), "{time}"));
}

function threadSummary(message, doing) {
  const { length } = message.replies;
  const authors = [...new Set(message.replies.map((reply) => reply.author))].slice(0, 3);
  const last = new Date(Number(message.replies.at(-1).ts) * 1000);
  return h("button", { type: "button", class: "thread-summary", data: { focus: "thread" }, on: { click: () => doing.openThread(message.channel, message.ts) } },
    h("span", { class: "thread-faces" }, authors.map((author) => face(userOf(author), "is-tiny"))),
    h("span", { class: "thread-count" }, length === 1 ? "1 reply" : `${length} replies`),
    h("time", { class: "muted", datetime: last.toISOString(), data: { at: String(last.getTime() / 1000), format: "Last reply {ago}" } }, `Last reply ${ago(last)}`));
}

const shortened = (text) => (text.length > 80 ? `${text.slice(0, 78)}…` : text);

function toolbar(message, doing, { inThread }) {
  const link = `${location.origin}/archives/${message.channel}/p${message.ts.replace(".", "")}${message.is_reply ? `?thread_ts=${message.thread_ts}` : ""}`;
  const shortcuts = message.only_you || message.deleted ? [] : world.state.app.shortcuts.filter((each) => each.kind === "message");
  return h("div", { class: "message-tools" },
    !inThread && !message.only_you && h("button", {
      type: "button", class: "tool", "aria-label": "Reply in thread", title: "Reply in thread", data: { focus: "reply" },
      on: { click: () => doing.openThread(message.channel, message.thread_ts ?? message.ts, { write: true }) },
    }, icon("reply")),
    menuButton({ class: "tool", "aria-label": "More actions on this message", title: "More actions", data: { focus: "more" } }, icon("dots"), () => [
      ...shortcuts.map((each) => ({ text: each.name, detail: world.state.app.name, run: () => void doing.useShortcut(message, each) })),
      ...(message.only_you ? [] : [{ text: "Copy link", run: () => navigator.clipboard?.writeText(link) }]),
      { text: "Look inside", detail: "The message as sent, and its text for a screen reader", run: () => inside(message, doing) },
    ]));
}

function dismiss(message, doing) {
  dismissed.add(`${message.ts}/${message.edits}`);
  keep(sessionStorage, "dismissed", [...dismissed]);
  doing.redraw();
}

function inside(message, { names }) {
  const { text, blocks, attachments, metadata } = message;
  lookInside("Inside this message",
    h("h3", {}, "A notification and a screen reader say"), h("p", { class: "b-text" }, spoken(text, names) || "Nothing."),
    h("h3", {}, "As it is stored"), h("pre", { class: "json" }, JSON.stringify({ text, blocks, attachments, metadata }, null, 2)));
}

/** Arrow keys go from message to message; Escape calls `leave`. */
export function walk(event, list, leave) {
  const now = document.activeElement?.closest("li.message");
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && (event.target === now || event.target === list)) {
    const all = [...list.querySelectorAll("li.message")];
    const next = now ? all[all.indexOf(now) + steps[event.key]] : all.at(-1);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Escape" && !event.defaultPrevented) leave();
}
