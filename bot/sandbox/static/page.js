// The page: the person, the place, and the panes around it. Everything drawn comes from the front API and is read
// again after each change; nothing is drawn ahead of the server.

import { Refused, get, listen, onceAtATime, post } from "./api.js";
import { dock, framed, greet } from "./beside.js";
import { blocksOf, confirmed } from "./blocks.js";
import { composer } from "./composer.js";
import { dialogs } from "./dialogs.js";
import { h, icon, reconcile, swap } from "./dom.js";
import { inspector } from "./inspector.js";
import { drawnIn, drawnInThread, goesOn, messageItem, walk } from "./messages.js";
import { dateWords, plain, refreshDates, spoken, unescaped } from "./text.js";
import {
  channelOf, directChannel, face, fullName, humans, keep, kept, markRead, news, people, readUpTo, shownName, userOf, world,
} from "./world.js";

const MINUTE = 60_000;
const SAID_WITHIN_MILLISECONDS = 10_000;
const at = (id) => document.getElementById(id);

const names = {
  user: (id, label) => ({ text: `@${userOf(id) ? shownName(userOf(id)) : label || id}`, mine: id === world.me.id }),
  channel: (id, label) => {
    const channel = channelOf(id);
    if (!channel) return { text: label ? `#${label}` : "private channel" };
    return { text: `${channel.kind === "private" ? "🔒 " : "#"}${channel.name}`, go: () => goTo({ channel: id }) };
  },
  group: (id, label) => {
    const group = world.state.groups.find((each) => each.id === id);
    return { text: group ? `@${group.handle}` : label || "@group", mine: Boolean(group?.members.includes(world.me.id)) };
  },
  broadcast: (range) => ({ text: `@${range}`, mine: true }),
};

/** Let a screen reader say it. The words are removed soon: a withdrawn text must not stay here. */
function announce(words) {
  const said = h("p", {}, words);
  at("live").append(said);
  setTimeout(() => said.remove(), SAID_WITHIN_MILLISECONDS);
}

// --- reading ---

const refreshState = onceAtATime(async () => {
  const me = world.me.id;
  const state = await get("state", { as: me });
  // The person was switched during the request, and the switch reads again itself.
  if (me !== world.me.id) return;
  world.state = state;
  world.me = state.me;
  renderTop();
  renderSidebar();
  renderHead();
  inspection.show(world.state);
});

const readers = new Map();

function refreshMessages(channel) {
  if (!readers.has(channel)) readers.set(channel, onceAtATime(() => readMessages(channel)));
  return readers.get(channel)();
}

async function readMessages(channel) {
  const me = world.me.id;
  const told = await get("messages", { as: me, channel });
  if (me !== world.me.id) return;
  const before = world.messages.get(channel);
  world.messages.set(channel, told.messages);
  if (isShown(channel)) {
    if (before) announceNews(before, told.messages);
    if (document.visibilityState === "visible") markRead(channel);
    renderMessages();
    renderThread();
  }
  renderSidebar();
}

function announceNews(before, after) {
  const flat = (messages) => messages.flatMap((message) => [message, ...message.replies]);
  const known = new Map(flat(before).map((message) => [message.ts, message]));
  for (const message of flat(after)) {
    const old = known.get(message.ts);
    if (old?.text === message.text || (!old && message.author === world.me.id)) continue;
    const author = shownName(userOf(message.author));
    announce(`${author}${old ? " edited" : ""}${message.only_you ? ", only visible to you" : ""}: ${spoken(message.text, names)}`);
  }
}

const refreshViews = onceAtATime(async () => {
  const me = world.me.id;
  const views = await get("views", { as: me });
  if (me !== world.me.id) return;
  world.views = views;
  if (modal.show(views.stack) && (document.activeElement === document.body || !document.activeElement)) focusComposer();
  renderHome();
});

async function refreshAll() {
  await refreshState();
  const places = world.state.channels.map((channel) => channel.id);
  for (const known of world.messages.keys()) if (!places.includes(known)) world.messages.delete(known);
  await Promise.all([...places.map(refreshMessages), refreshViews()]);
}

function onchange(change) {
  docks.follow();
  switch (change.kind) {
    case "message":
    case "message_deleted":
      if (change.only_for && change.only_for !== world.me.id) return;
      if (channelOf(change.channel)) void refreshMessages(change.channel);
      break;
    case "channel":
      void refreshState().then(() => channelOf(change.channel) && refreshMessages(change.channel));
      break;
    case "user":
    case "connections":
    case "faults":
      void refreshState();
      break;
    case "view":
    case "home":
      if (change.user === world.me.id) void refreshViews();
      break;
    case "restored":
      void refreshAll();
      break;
    default:
      if (change.entry) inspection.take(change.entry);
  }
}

// --- acting ---

/** Do one act as the current person; returns the interaction, with `error_seen` after a failure. */
async function act(asked) {
  try {
    const { interaction } = await post("act", { as: world.me.id, ...asked });
    return interaction ?? {};
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    return { error: "cannot_do", error_seen: problem.sentence };
  }
}

function notice(channel, text, thread = null) {
  noticed += 1;
  world.notices.push({
    key: `notice-${noticed}`, channel, thread_ts: thread, user: world.me.id, ts: String(Date.now() / 1000), text,
  });
  announce(text);
  renderMessages();
  renderThread();
}

async function write(channel, text, thread = null) {
  const shown = channelOf(channel)?.id ?? channel;
  if (text.startsWith("/") && thread) {
    notice(shown, `${text.split(/\s/)[0]} is not supported in threads. Sorry!`, thread);
    return;
  }
  const done = await act(text.startsWith("/")
    ? { act: "command", channel, text }
    : { act: "say", channel, text, ...(thread ? { thread_ts: thread } : {}) });
  if (done.error_seen) notice(shown, done.error_seen, thread);
}

/** The acts of Block Kit in `target`; `trouble(sentence)` shows an error beside it. */
function surfaceOf(kind, target, root, { state = {}, errors = {}, trouble }) {
  const busy = async (block, element, asked) => {
    const mark = (on) => {
      const node = root()?.querySelector(`[data-focus="${CSS.escape(`${block.block_id}/${element.action_id}`)}"]`);
      if (on) node?.setAttribute("aria-busy", "true");
      else node?.removeAttribute("aria-busy");
    };
    trouble("");
    mark(true);
    const done = await act(asked);
    mark(false);
    trouble(done.error_seen ?? "");
    return done;
  };
  const named = (block, element) => ({ target, control: element.action_id, block: block.block_id });
  const choose = async (block, element, value, query) => {
    if (!(await confirmed(element, names))) return;
    await busy(block, element, { act: "choose", ...named(block, element), value, ...(query ? { query } : {}) });
  };
  return {
    kind, names, people, state, errors, choose,
    press: async (block, element) => {
      if (!(await confirmed(element, names))) return;
      await busy(block, element, { act: "press", ...named(block, element) });
    },
    fill: kind === "modal"
      ? async (block, element, value, query) => {
        const done = await act({ act: "fill", control: element.action_id, block: block.block_id, value, ...(query ? { query } : {}) });
        trouble(done.error_seen ?? "");
      }
      : choose,
    search: async (block, element, query) => {
      const done = await act({ act: "options", ...named(block, element), query });
      return { options: done.options ?? [], remark: done.error_seen ?? "Nothing found" };
    },
  };
}

const modal = dialogs(at("dialog"), {
  by: () => world.state.app.name,
  surface: (view, drafts) => ({
    ...surfaceOf("modal", { view: view.id }, () => at("dialog"), {
      state: view.state.values, errors: view.errors, trouble: (sentence) => sentence && announce(sentence),
    }),
    draft: (focus) => drafts.get(focus),
    keepDraft: (focus, value) => drafts.set(focus, value),
  }),
  submit: async (_view, values) => {
    const done = await act({ act: "submit", values });
    await refreshViews();
    return done.error && done.error !== "not_filled_in" ? done.error_seen : "";
  },
  close: async (whole) => {
    const done = await act({ act: "close", whole_stack: whole });
    await refreshViews();
    return done.error_seen ?? "";
  },
});

// --- the place ---

const shownChannel = () => world.place?.channel ?? (world.place?.app === "messages" ? directChannel()?.id : undefined);
const isShown = (channel) => shownChannel() === channel || world.thread?.channel === channel;
const placeName = () => world.place.beside ?? (world.place.app ? world.state.app.name : `#${channelOf(world.place.channel)?.name ?? ""}`);

function goTo(place, { thread = null, target = null } = {}) {
  const arrived = ["channel", "app", "beside"].some((kind) => place[kind] !== world.place?.[kind]);
  world.place = place;
  world.target = target;
  if (arrived || thread) world.thread = thread;
  const channel = shownChannel();
  if (arrived && channel) world.newFrom = readUpTo(channel);
  if (channel) markRead(channel);
  at("columns").classList.remove("shows-sidebar");
  at("menu").setAttribute("aria-expanded", "false");
  rememberPlace();
  renderSidebar();
  if (arrived) renderPlace();
  else renderMessages();
  renderThread();
  if (place.app === "home") void act({ act: "open_home" }).then(refreshState);
  if (target) showTarget(target);
}

function rememberPlace() {
  const name = world.place.channel ? channelOf(world.place.channel)?.name : world.place.app ?? world.place.beside;
  const query = new URLSearchParams({ as: world.me.name, at: name ?? "" });
  history.replaceState(null, "", `/?${query}`);
  const title = world.place.channel ? `#${name}` : world.place.beside ?? world.state.app.name;
  document.title = `${title} · ${world.state.team.name}`;
}

function showTarget(ts) {
  const node = document.querySelector(`[data-key="${CSS.escape(ts)}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
}

/** The place in the address of the page: a permalink, or `?as=…&at=…`. */
function placeInAddress() {
  const link = /^\/archives\/([^/]+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  if (link) {
    const ts = `${link[2]}.${link[3]}`;
    const parent = new URLSearchParams(location.search).get("thread_ts");
    return { place: { channel: link[1] }, target: ts, thread: parent ? { channel: link[1], ts: parent } : null };
  }
  const wanted = new URLSearchParams(location.search).get("at");
  if (wanted === "home" && world.state.app.home_tab) return { place: { app: "home" } };
  if (wanted === "messages") return { place: { app: "messages" } };
  if (world.state.beside.includes(wanted) && !(wanted in world.state.elsewhere)) return { place: { beside: wanted } };
  const rooms = world.state.channels.filter((channel) => channel.kind !== "im");
  const channel = rooms.find(({ name, id }) => wanted && [name, id].includes(wanted)) ?? rooms.find(({ is_member: member }) => member) ?? rooms[0];
  return { place: { channel: channel?.id } };
}

async function become(user) {
  if (user.id === world.me.id) return;
  world.me = user;
  world.messages.clear();
  world.views = { stack: [], home: null };
  world.notices = world.notices.filter((each) => each.user === user.id);
  world.thread = null;
  modal.show([]);
  // These are boxes of the person before: what is typed in them now would be lost.
  for (const id of ["composer-box", "thread-composer-box"]) if (at(id)) at(id).disabled = true;
  await refreshAll();
  if (world.place.channel && !channelOf(world.place.channel)) world.place = placeInAddress().place;
  const { place } = world;
  world.place = null;
  goTo(place);
  announce(`You act as ${fullName(world.me)}.`);
}

// --- top ---

function renderTop() {
  const { state, me } = world;
  at("team-name").textContent = state.team.name;
  greet(at("welcome"), state.welcome);
  const count = state.connections.length;
  at("team-mode").textContent = state.mode === "http" ? "HTTP mode" : count === 1 ? "1 connection" : `${count} connections`;
  at("team-mode").classList.toggle("is-down", state.mode === "socket" && !count);
  reconcile(at("people"), humans().map((user) => ({
    key: user.id, mark: JSON.stringify([user, user.id === me.id]),
    // A link opens in a second window, for a second person.
    make: () => h("a", {
      href: `/?${new URLSearchParams({ as: user.name })}`, class: "person", "aria-current": user.id === me.id ? "true" : null, data: { focus: user.id },
      title: `${fullName(user)}${user.is_admin ? ", admin" : ""}${user.is_restricted ? ", guest" : ""}`,
      on: {
        click: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          void become(user);
        },
      },
    }, face(user, "is-small"), h("span", { class: "person-name" }, shownName(user)),
    (user.is_admin || user.is_restricted) && h("span", { class: "person-kind" }, user.is_admin ? "admin" : "guest")),
  })));
}

const COLOURS = { auto: ["As the system", "auto"], light: ["Light", "sun"], dark: ["Dark", "moon"] };

function paint(colours) {
  document.documentElement.dataset.colours = colours;
  const [word, drawing] = COLOURS[colours];
  at("theme").setAttribute("aria-label", `Colours: ${word.toLowerCase()}. Change`);
  at("theme").title = `Colours: ${word.toLowerCase()}`;
  at("theme").replaceChildren(icon(drawing));
}

function sideEntry({ key, name, mark, here, go, fresh = 0, calls = 0, faded = false }) {
  const told = fresh ? `, ${fresh} unread` : "";
  return {
    key, mark: JSON.stringify([name, here, fresh, calls, faded]),
    make: () => h("li", {}, h("button", {
      type: "button", class: `side-entry${fresh && !here ? " is-unread" : ""}${faded ? " is-faded" : ""}`,
      "aria-current": here ? "page" : null, "aria-label": `${name}${here ? "" : told}`, data: { focus: key }, on: { click: go },
    }, mark(), h("span", { class: "side-name" }, name), calls > 0 && !here && h("span", { class: "badge", data: { count: String(calls) } }))),
  };
}

/** The pages that are shown beside a channel: each is on the app's own server, and is drawn here as well. */
const docked = () => Object.entries(world.state.elsewhere).filter(([name]) => world.state.beside.includes(name));

/** A page on the app's own server, which opens beside this one. */
const sideLink = ([name, address]) => ({
  key: name, mark: address,
  make: () => h("li", {}, h("a", { class: "side-entry", href: address, target: "_blank", rel: "noopener", data: { focus: name } },
    icon("link"), h("span", { class: "side-name" }, name), h("span", { class: "unseen" }, " (opens beside)"))),
});

function renderSidebar() {
  const { state, place } = world;
  if (!place) return;
  const side = at("sidebar");
  if (!side.firstChild) {
    side.append(
      h("h2", { id: "channels-title" }, "Channels"), h("ul", { class: "side-list", "aria-labelledby": "channels-title" }),
      h("h2", { id: "apps-title" }, "Apps"), h("ul", { class: "side-list", "aria-labelledby": "apps-title" }),
      h("h2", { id: "beside-title" }, "Outside Slack"), h("ul", { class: "side-list", "aria-labelledby": "beside-title" }));
  }
  const [rooms, apps, others] = side.querySelectorAll("ul");
  reconcile(rooms, state.channels.filter((channel) => channel.kind !== "im" && (channel.is_member || channel.id === place.channel)).map((channel) => sideEntry({
    key: channel.id, name: channel.name, mark: () => icon(channel.kind === "private" ? "lock" : "hash"), here: place.channel === channel.id,
    go: () => goTo({ channel: channel.id }), faded: channel.is_archived, ...news(channel),
  })));
  const direct = directChannel();
  reconcile(apps, [sideEntry({
    key: "app", name: state.app.name, mark: () => face({ is_bot: true }, "is-tiny"), here: Boolean(place.app),
    go: () => goTo({ app: state.app.home_tab ? "home" : "messages" }), ...(direct ? news(direct) : {}),
  })]);
  const elsewhere = Object.entries(state.elsewhere);
  const links = elsewhere.filter(([name]) => !state.beside.includes(name));
  const pages = state.beside.filter((name) => !(name in state.elsewhere));
  side.querySelector("#beside-title").hidden = !state.beside.length && !elsewhere.length;
  reconcile(others, [...links.map(sideLink), ...docked().map(([name, address]) => sideEntry({
    key: name, name, mark: () => icon("page"), here: docks.shows(name), go: () => docks.toggle(name, address),
  })), ...pages.map((name) => sideEntry({
    key: name, name, mark: () => icon("chart"), here: place.beside === name, go: () => goTo({ beside: name }),
  }))]);
}

// --- the middle ---

function renderPlace() {
  const body = at("place-body");
  renderHead();
  if (world.place.beside) {
    body.replaceChildren(h("div", { id: "messages", class: "beside-room", tabindex: "-1" }, framed(world.place.beside)));
    return;
  }
  if (world.place.app === "home") {
    body.replaceChildren(h("div", { id: "messages", class: "home", tabindex: "-1" }), h("div", { id: "composer", tabindex: "-1" }));
    renderHome();
    return;
  }
  const channel = shownChannel();
  body.replaceChildren(
    h("ol", { id: "messages", class: "messages", tabindex: "-1", "aria-label": "Messages" }),
    composer({
      id: "composer", label: `Message ${placeName()}`, placeholder: `Message ${placeName()}`, draft: draftOf(channel ?? "direct"), offers,
      refusal: refusalIn(channelOf(channel)), send: (text) => void write(channel ?? `@${world.me.name}`, text),
      shortcut: (each) => void useShortcut(each, channel),
    }));
  const list = at("messages");
  list.addEventListener("keydown", (event) => walk(event, list, focusComposer));
  renderMessages();
  list.scrollTop = list.scrollHeight;
  if (matchMedia("(hover: hover)").matches && !at("dialog").open) focusComposer();
}

function focusComposer() {
  at("composer-box")?.focus({ preventScroll: true });
}

function draftOf(key) {
  const name = `${world.me.id}/${key}`;
  if (!world.drafts.has(name)) world.drafts.set(name, { text: "" });
  return world.drafts.get(name);
}

function refusalIn(channel) {
  if (channel?.is_archived) return `#${channel.name} is archived: it can be read, and nothing can be written.`;
  if (world.place.app && world.state.app.messages_read_only && (!channel || channel.kind === "im")) return "Sending messages to this app has been turned off.";
  if (channel && !channel.is_member) return `${shownName(world.me)} is not a member of #${channel.name}.`;
  return "";
}

const offers = () => ({
  commands: world.state.app.commands,
  people: [
    ...humans().map((user) => ({ name: user.name, detail: fullName(user) })),
    ...world.state.groups.map((group) => ({ name: group.handle, detail: group.name })),
    ...["here", "channel"].map((name) => ({ name, detail: "Notify everybody here" })),
  ],
  channels: world.state.channels.filter((channel) => channel.kind !== "im").map((channel) => ({ name: channel.name, detail: unescaped(channel.topic) })),
  shortcuts: world.state.app.shortcuts.filter((each) => each.kind === "global"),
});

async function useShortcut(each, channel) {
  const done = await act({ act: "shortcut", callback_id: each.callback_id });
  if (done.error_seen) notice(channel, done.error_seen);
}

function renderHead() {
  const { place, state } = world;
  if (!place) return;
  const head = at("place-head");
  if (place.beside) {
    head.replaceChildren(h("div", { class: "head-channel" }, h("h1", {}, icon("chart"), place.beside)));
    return;
  }
  if (place.app) {
    const tabs = [...(state.app.home_tab ? [["home", "Home"]] : []), ["messages", "Messages"]];
    const fresh = h("div", { class: "head-app" }, h("h1", {}, face({ is_bot: true }, "is-small"), state.app.name),
      h("nav", { "aria-label": `${state.app.name}`, class: "tabs" }, tabs.map(([tab, word]) => h("button", {
        type: "button", class: "tab", "aria-current": place.app === tab ? "page" : null, data: { focus: tab }, on: { click: () => goTo({ app: tab }) },
      }, word))));
    if (head.firstChild) swap(head.firstChild, fresh);
    else head.append(fresh);
    return;
  }
  const channel = channelOf(place.channel);
  head.replaceChildren(h("div", { class: "head-channel" },
    h("h1", {}, icon(channel?.kind === "private" ? "lock" : "hash"), channel?.name ?? ""),
    channel?.topic && h("p", { class: "topic" }, plain(channel.topic)),
    channel?.pins > 0 && h("p", { class: "pins" }, `${channel.pins} pinned`),
    channel && !channel.bot_is_member && h("p", { class: "topic" }, `${state.app.name} is not in this channel.`)));
}

const doing = {
  names, openThread, surface: surfaceOf, useShortcut: useMessageShortcut,
  redraw: () => {
    renderMessages();
    renderThread();
  },
};

function renderMessages() {
  const list = at("messages");
  const channel = shownChannel();
  if (!list || world.place.app === "home" || world.place.beside) return;
  const bottom = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const drawn = channel ? drawnIn(channel) : [];
  const items = [];
  let last = null;
  let lastDay = "";
  let newShown = false;
  for (const message of drawn) {
    const date = new Date(Number(message.ts) * 1000).toDateString();
    if (date !== lastDay) {
      const words = dateWords(Number(message.ts), "{day_divider_pretty}");
      items.push({ key: `day-${date}`, mark: words, make: () => h("li", { class: "day" }, h("span", {}, words[0].toUpperCase() + words.slice(1))) });
      last = null;
    }
    lastDay = date;
    if (!newShown && world.newFrom && world.newFrom !== "0" && message.ts > world.newFrom && message.author !== world.me.id && !message.key) {
      newShown = true;
      items.push({ key: "new", mark: "", make: () => h("li", { class: "day is-new" }, h("span", {}, "New")) });
      last = null;
    }
    items.push(messageItem(message, doing, { compact: goesOn(last, message) }));
    last = message;
  }
  if (!items.length) items.push({ key: "empty", mark: placeName(), make: () => h("li", { class: "empty" }, emptyWords()) });
  reconcile(list, items);
  if (bottom && !world.target) list.scrollTop = list.scrollHeight;
}

function emptyWords() {
  const [command] = world.state.app.commands;
  const start = command ? ` Type ${command.name} to begin.` : "";
  return world.place.app ? `Nothing has been said between you and ${world.state.app.name} yet.` : `This is the very beginning of ${placeName()}.${start}`;
}

let noticed = 0;

async function useMessageShortcut(message, each) {
  const done = await act({ act: "message_shortcut", channel: message.channel, ts: message.ts, callback_id: each.callback_id });
  if (done.error_seen) notice(message.channel, done.error_seen, message.is_reply ? message.thread_ts : null);
}

/** F6 goes to the next region, as in Slack; Shift+F6 goes back. */
function toNextRegion(back) {
  const regions = [at("people"), at("sidebar"), at("messages"), at("composer-box"), at("thread"), at("inspector"), at("dock")]
    .filter((region) => region && region.getClientRects().length);
  const now = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions.at((now + (back ? -1 : 1) + (now < 0 && back ? 1 : 0)) % regions.length);
  const first = next.matches("textarea, ol") ? next : next.querySelector("h2[tabindex], [aria-current], button, input");
  (next.id === "messages" ? next.querySelector("li.message:last-of-type") ?? next : first)?.focus();
}

// --- thread ---

function openThread(channel, ts, { write: writing = false } = {}) {
  world.thread = { channel, ts };
  if (innerWidth < 1280) inspection.close();
  renderThread();
  const box = at("thread-composer-box");
  if (writing) box?.focus();
  else at("thread").querySelector("h2")?.focus();
}

function closeThread() {
  world.thread = null;
  renderThread();
  focusComposer();
}

function renderThread() {
  const pane = at("thread");
  const { thread } = world;
  pane.hidden = !thread;
  at("columns").classList.toggle("shows-thread", Boolean(thread));
  if (!thread) {
    pane.replaceChildren();
    delete pane.dataset.of;
    return;
  }
  const of = `${world.me.id}/${thread.channel}/${thread.ts}`;
  const channel = channelOf(thread.channel);
  if (pane.dataset.of !== of) {
    pane.dataset.of = of;
    const list = h("ol", { class: "messages", id: "thread-messages", tabindex: "-1", "aria-label": "Messages in the thread" });
    list.addEventListener("keydown", (event) => walk(event, list, focusComposer));
    pane.replaceChildren(
      h("header", { class: "pane-head" }, h("h2", { tabindex: "-1" }, "Thread", h("span", { class: "muted" }, ` ${channel?.kind === "im" ? "" : `#${channel?.name ?? ""}`}`)),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", on: { click: closeThread } }, icon("close"))),
      list,
      composer({
        id: "thread-composer", label: "Reply in thread", placeholder: "Reply…", draft: draftOf(thread.ts), offers, refusal: refusalIn(channel),
        send: (text) => void write(thread.channel, text, thread.ts),
      }));
  }
  const list = at("thread-messages");
  const bottom = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const { root, replies } = drawnInThread(thread);
  const count = { key: "count", mark: String(replies.length), make: () => h("li", { class: "day" }, h("span", {}, replies.length === 1 ? "1 reply" : `${replies.length} replies`)) };
  reconcile(list, [
    ...(root ? [messageItem(root, doing, { inThread: true })] : []), ...(replies.length ? [count] : []),
    ...replies.map((reply, index) => messageItem(reply, doing, { inThread: true, compact: goesOn(replies[index - 1], reply) })),
  ]);
  if (bottom) list.scrollTop = list.scrollHeight;
}

// --- the app's Home ---

let homeMark = "";
let homeTrouble = "";

function renderHome() {
  const box = at("messages");
  if (world.place?.app !== "home" || !box) return;
  const { home } = world.views;
  const mark = JSON.stringify([world.me.id, home?.id, home?.hash, homeTrouble]);
  if (box.firstChild && mark === homeMark) return;
  homeMark = mark;
  const words = home
    ? blocksOf(home.blocks, surfaceOf("home", { view: home.id }, () => at("messages"), {
      state: home.state.values,
      trouble: (sentence) => {
        homeTrouble = sentence;
        renderHome();
      },
    }))
    : [h("p", { class: "empty" }, `${world.state.app.name} has put nothing on ${shownName(world.me)}'s Home tab yet.`)];
  const fresh = h("div", { class: "home-blocks" }, homeTrouble && h("p", { class: "trouble", role: "alert" }, icon("warn"), homeTrouble), words);
  if (box.firstChild) swap(box.firstChild, fresh);
  else box.append(fresh);
}

// --- beginning ---

const inspection = inspector({ pane: at("inspector"), button: at("inspect"), columns: at("columns"), users: () => world.state.users, channels: () => world.state.channels });

const docks = dock({ pane: at("dock"), columns: at("columns"), redraw: () => renderSidebar() });

async function begin() {
  paint(kept(localStorage, "colours", "auto"));
  at("theme").addEventListener("click", () => {
    const order = Object.keys(COLOURS);
    const next = order[(order.indexOf(document.documentElement.dataset.colours) + 1) % order.length];
    keep(localStorage, "colours", next);
    paint(next);
    announce(`Colours: ${COLOURS[next][0]}.`);
  });
  at("menu").append(icon("menu"));
  at("menu").addEventListener("click", () => {
    const on = at("columns").classList.toggle("shows-sidebar");
    at("menu").setAttribute("aria-expanded", String(on));
    if (on) at("sidebar").querySelector("button")?.focus();
  });
  const all = await get("state");
  const wanted = new URLSearchParams(location.search).get("as");
  world.me = all.users.find((user) => [user.id, user.name].includes(wanted)) ?? all.users.find((user) => !user.is_bot && !user.deleted);
  world.state = all;
  await refreshAll();
  await inspection.begin();
  const { place, thread = null, target = null } = placeInAddress();
  goTo(place, { thread, target });
  docks.begin(docked());
  // Changes between the first reading and the first connection are caught by reading again.
  let wasConnected = false;
  listen({
    onchange,
    onstate: (connected) => {
      at("offline").hidden = connected;
      if (connected && !wasConnected) void refreshAll();
      wasConnected = connected;
    },
  });
  setInterval(() => refreshDates(), MINUTE / 2);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    toNextRegion(event.shiftKey);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || !shownChannel()) return;
    markRead(shownChannel());
    renderSidebar();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || link.origin !== location.origin || !link.pathname.startsWith("/archives/")) return;
    event.preventDefault();
    history.replaceState(null, "", link.pathname + link.search);
    const found = placeInAddress();
    if (channelOf(found.place.channel)) goTo(found.place, { thread: found.thread ?? null, target: found.target });
  });
  document.documentElement.dataset.ready = "true";
}

begin().catch((problem) => {
  at("offline").textContent = problem.sentence ?? "The page could not start.";
  at("offline").hidden = false;
  throw problem;
});
