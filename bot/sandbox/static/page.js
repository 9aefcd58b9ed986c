// The page: who acts, where they are, what they see there. Everything shown comes from the front API and is
// read again when the stream of changes says so; nothing is guessed ahead of the server.

import { Refused, get, listen, onceAtATime, post } from "./api.js";
import { attachmentsOf, blocksOf, confirmed } from "./blocks.js";
import { composer } from "./composer.js";
import { dialogs, lookInside } from "./dialogs.js";
import { h, icon, menuButton, reconcile, swap, wheel } from "./dom.js";
import { inspector } from "./inspector.js";
import { ago, dateWords, mrkdwn, refreshDates } from "./text.js";

const at = (id) => document.getElementById(id);
const SAME_BREATH_SECONDS = 300;
const MINUTE = 60_000;
const SAID_WITHIN_MILLISECONDS = 10_000;
// Grounds on which white letters can be read.
const FACES = ["#3b5b9d", "#2d6e4f", "#94472c", "#7b3f91", "#a23650", "#55611f", "#1f6b7c", "#6b4d2a"];

/** Everything known. `place` is {channel} or {app: "home" | "messages"}; `thread` is {channel, ts} or null. */
const world = {
  me: null,
  state: null,
  messages: new Map(),
  views: { stack: [], home: null },
  place: null,
  thread: null,
  newFrom: null,
  target: null,
  notices: [],
  troubles: new Map(),
  drafts: new Map(),
};

// --- what is remembered: what was read (by this browser), what was dismissed and the colours (by this tab) ---

function kept(storage, key, otherwise) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

const readUpTo = (channel) => kept(localStorage, "read", {})[world.me.id]?.[channel] ?? "0";

function markRead(channel) {
  const newest = (world.messages.get(channel) ?? []).flatMap((message) => [message, ...message.replies]).map(({ ts }) => ts).sort().at(-1);
  if (!newest || newest <= readUpTo(channel)) return;
  const all = kept(localStorage, "read", {});
  keep(localStorage, "read", { ...all, [world.me.id]: { ...all[world.me.id], [channel]: newest } });
}

const dismissed = new Set(kept(sessionStorage, "dismissed", []));

function dismiss(message) {
  dismissed.add(`${message.ts}/${message.edits}`);
  keep(sessionStorage, "dismissed", [...dismissed]);
  renderMessages();
  renderThread();
}

// --- names ---

const userOf = (id) => world.state.users.find((user) => user.id === id);
const channelOf = (id) => world.state.channels.find((channel) => channel.id === id);
const directChannel = () => world.state.channels.find((channel) => channel.kind === "im" && channel.with_user === world.me.id);
const humans = () => world.state.users.filter((user) => !user.is_bot && !user.deleted);
const shownName = (user) => user?.profile?.display_name || user?.name || "somebody";
const fullName = (user) => user?.real_name || shownName(user);

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

const people = {
  users: () => humans().map((user) => ({ value: user.id, text: `@${shownName(user)}`, detail: fullName(user) })),
  channels: (kinds) => world.state.channels
    .filter((channel) => channel.kind !== "im" && !channel.is_archived && (!kinds || kinds.includes(channel.kind)))
    .map((channel) => ({ value: channel.id, text: `#${channel.name}` })),
};

/** A text as one plain line: what a screen reader or a notification says of a message. */
function spoken(text) {
  const box = h("div", {}, mrkdwn(text, names));
  for (const code of box.querySelectorAll("br")) code.replaceWith(" ");
  return box.textContent;
}

/** Let a screen reader say it. What was said goes again: a text that is withdrawn later must not stay here. */
function announce(words) {
  const said = h("p", {}, words);
  at("live").append(said);
  setTimeout(() => said.remove(), SAID_WITHIN_MILLISECONDS);
}

function face(user, kind = "") {
  if (user?.is_bot) return h("span", { class: `face is-app ${kind}`, "aria-hidden": "true" }, wheel());
  const seat = Math.max(0, world.state.users.findIndex(({ id }) => id === user?.id));
  const letters = fullName(user).split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  return h("span", { class: `face ${kind}`, "aria-hidden": "true", style: { "--face": FACES[seat % FACES.length] } }, letters);
}

// --- reading ---

const refreshState = onceAtATime(async () => {
  const who = world.me.id;
  const state = await get("state", { as: who });
  // Whoever has become somebody else meanwhile has asked again, too.
  if (who !== world.me.id) return;
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
  const who = world.me.id;
  const told = await get("messages", { as: who, channel });
  if (who !== world.me.id) return;
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
    const who = shownName(userOf(message.author));
    announce(`${who}${old ? " edited" : ""}${message.only_you ? ", only visible to you" : ""}: ${spoken(message.text)}`);
  }
}

const refreshViews = onceAtATime(async () => {
  const who = world.me.id;
  const views = await get("views", { as: who });
  if (who !== world.me.id) return;
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

/** Do one act as the person in front of the page; gives the interaction, with the sentence to show if it failed. */
async function act(what) {
  try {
    const { interaction } = await post("act", { as: world.me.id, ...what });
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

/** What Block Kit in `where` may do; `trouble(sentence)` shows what went wrong beside it. */
function surfaceOf(kind, where, root, { state = {}, errors = {}, trouble }) {
  const busy = async (block, element, what) => {
    const mark = (on) => {
      const node = root()?.querySelector(`[data-focus="${CSS.escape(`${block.block_id}/${element.action_id}`)}"]`);
      if (on) node?.setAttribute("aria-busy", "true");
      else node?.removeAttribute("aria-busy");
    };
    trouble("");
    mark(true);
    const done = await act(what);
    mark(false);
    trouble(done.error_seen ?? "");
    return done;
  };
  const named = (block, element) => ({ where, what: element.action_id, block: block.block_id });
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
        const done = await act({ act: "fill", what: element.action_id, block: block.block_id, value, ...(query ? { query } : {}) });
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

// --- where the person is ---

const shownChannel = () => world.place?.channel ?? (world.place?.app === "messages" ? directChannel()?.id : undefined);
const isShown = (channel) => shownChannel() === channel || world.thread?.channel === channel;

function goTo(place, { thread = null, target = null } = {}) {
  const arrived = place.channel !== world.place?.channel || place.app !== world.place?.app;
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
  const where = world.place.channel ? channelOf(world.place.channel)?.name : world.place.app;
  const query = new URLSearchParams({ as: world.me.name, at: where ?? "" });
  history.replaceState(null, "", `/?${query}`);
  const title = world.place.channel ? `#${where}` : world.state.app.name;
  document.title = `${title} · ${world.state.team.name}`;
}

function showTarget(ts) {
  const node = document.querySelector(`[data-key="${CSS.escape(ts)}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
}

/** Where the address of the page points to: a permalink, or `?as=…&at=…`. */
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
  const count = state.connections.length;
  at("team-mode").textContent = state.mode === "http" ? "HTTP mode" : count === 1 ? "1 connection" : `${count} connections`;
  at("team-mode").classList.toggle("is-down", state.mode === "socket" && !count);
  reconcile(at("people"), humans().map((user) => ({
    key: user.id, mark: JSON.stringify([user, user.id === me.id]),
    // A link, so that a second window can be opened for a second person.
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

// --- sidebar ---

function news(channel) {
  const read = readUpTo(channel.id);
  const fresh = (world.messages.get(channel.id) ?? [])
    .flatMap((message) => [message, ...message.replies.filter((reply) => reply.broadcast)])
    .filter((message) => message.ts > read && message.author !== world.me.id);
  const calls = fresh.filter((message) => channel.kind === "im" || message.only_you || mentionsMe(message.text));
  return { fresh: fresh.length, calls: calls.length };
}

function mentionsMe(text) {
  if (/<!(here|channel|everyone)[>|]/.test(text) || text.includes(`<@${world.me.id}`)) return true;
  return world.state.groups.some((group) => group.members.includes(world.me.id) && text.includes(`<!subteam^${group.id}`));
}

function sideEntry({ key, name, mark, here, go, fresh = 0, calls = 0, faded = false }) {
  const told = fresh ? `, ${fresh} unread` : "";
  return {
    key, mark: JSON.stringify([name, here, fresh, calls, faded]),
    make: () => h("li", {}, h("button", {
      type: "button", class: `side-entry${fresh && !here ? " is-unread" : ""}${faded ? " is-faded" : ""}`,
      "aria-current": here ? "page" : null, "aria-label": `${name}${here ? "" : told}`, data: { focus: key }, on: { click: go },
    }, mark(), h("span", { class: "side-name" }, name), calls > 0 && !here && h("span", { class: "badge", "aria-hidden": "true" }, String(calls)))),
  };
}

function renderSidebar() {
  const { state, place } = world;
  if (!place) return;
  const side = at("sidebar");
  if (!side.firstChild) {
    side.append(
      h("h2", { id: "channels-title" }, "Channels"), h("ul", { class: "side-list", "aria-labelledby": "channels-title" }),
      h("h2", { id: "apps-title" }, "Apps"), h("ul", { class: "side-list", "aria-labelledby": "apps-title" }));
  }
  const [rooms, apps] = side.querySelectorAll("ul");
  reconcile(rooms, state.channels.filter((channel) => channel.kind !== "im" && (channel.is_member || channel.id === place.channel)).map((channel) => sideEntry({
    key: channel.id, name: channel.name, mark: () => icon(channel.kind === "private" ? "lock" : "hash"), here: place.channel === channel.id,
    go: () => goTo({ channel: channel.id }), faded: channel.is_archived, ...news(channel),
  })));
  const direct = directChannel();
  reconcile(apps, [sideEntry({
    key: "app", name: state.app.name, mark: () => face({ is_bot: true }, "is-tiny"), here: Boolean(place.app),
    go: () => goTo({ app: state.app.home_tab ? "home" : "messages" }), ...(direct ? news(direct) : {}),
  })]);
}

// --- the middle ---

function renderPlace() {
  const body = at("place-body");
  renderHead();
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
  list.addEventListener("keydown", (event) => walk(event, list));
  renderMessages();
  list.scrollTop = list.scrollHeight;
  if (matchMedia("(hover: hover)").matches && !at("dialog").open) focusComposer();
}

function focusComposer() {
  at("composer-box")?.focus({ preventScroll: true });
}

const placeName = () => (world.place.app ? world.state.app.name : `#${channelOf(world.place.channel)?.name ?? ""}`);

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
  channels: world.state.channels.filter((channel) => channel.kind !== "im").map((channel) => ({ name: channel.name, detail: channel.topic })),
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
    channel?.topic && h("p", { class: "topic" }, channel.topic),
    channel && !channel.bot_is_member && h("p", { class: "topic" }, `${state.app.name} is not in this channel.`)));
}

// --- messages ---

/** What stands in the channel's own list, oldest first: no thread's replies but those that were broadcast. */
function drawnIn(channel) {
  const all = world.messages.get(channel) ?? [];
  const broadcast = all.flatMap((message) => message.replies.filter((reply) => reply.broadcast).map((reply) => ({ ...reply, root: message })));
  const notices = world.notices.filter((each) => each.channel === channel && !each.thread_ts && each.user === world.me.id);
  return [...all.filter((message) => !message.is_reply), ...broadcast, ...notices].filter(isThere).sort((one, other) => Number(one.ts) - Number(other.ts));
}

function drawnInThread({ channel, ts }) {
  const all = world.messages.get(channel) ?? [];
  const root = all.find((message) => message.ts === ts);
  const hidden = all.filter((message) => message.is_reply && message.thread_ts === ts && message.only_you);
  const notices = world.notices.filter((each) => each.channel === channel && each.thread_ts === ts && each.user === world.me.id);
  const replies = [...(root?.replies ?? []), ...hidden, ...notices].filter(isThere);
  return { root, replies: replies.sort((one, other) => Number(one.ts) - Number(other.ts)) };
}

const isThere = (message) => !message.only_you || !dismissed.has(`${message.ts}/${message.edits}`);

function renderMessages() {
  const list = at("messages");
  const channel = shownChannel();
  if (!list || world.place.app === "home") return;
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
    items.push(messageItem(message, { compact: goesOn(last, message) }));
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

/** Whether a message needs no head of its own: the same author, moments later, of the same kind. */
function goesOn(last, message) {
  return Boolean(last) && last.author === message.author && !message.key && !last.key
    && last.only_you === message.only_you && !message.root && !last.root && !message.only_you
    && Number(message.ts) - Number(last.ts) < SAME_BREATH_SECONDS;
}

function messageItem(message, { compact = false, inThread = false } = {}) {
  if (message.key) return { key: message.key, mark: message.text, make: () => noticeNode(message) };
  const trouble = world.troubles.get(message.ts) ?? "";
  const ahead = message.root ? [message.root.text] : [];
  return {
    key: message.ts,
    mark: JSON.stringify([{ ...message, root: null }, ahead, compact, inThread, trouble, world.target === message.ts]),
    make: (old) => messageNode(message, { compact, inThread, trouble, changed: Boolean(old) && old.edits !== message.edits }),
  };
}

function timeNode(ts, kind) {
  const date = new Date(Number(ts) * 1000);
  return h("time", { class: kind, datetime: date.toISOString(), title: date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" }) },
    dateWords(Number(ts), "{time}"));
}

function messageNode(message, { compact, inThread, trouble, changed }) {
  const author = userOf(message.author);
  const where = { channel: message.channel, ts: message.ts };
  const surface = surfaceOf("message", where, () => node, {
    trouble: (sentence) => {
      if ((world.troubles.get(message.ts) ?? "") === sentence) return;
      world.troubles.set(message.ts, sentence);
      renderMessages();
      renderThread();
    },
  });
  // What a person typed stands in the text with its mentions and links; the block beside it is the bare words.
  const words = message.blocks.length && message.origin !== "person"
    ? blocksOf(message.blocks, surface)
    : [h("div", { class: "b-text" }, mrkdwn(message.text, names))];
  const mine = !message.by_app && message.author !== world.me.id && mentionsMe(message.text);
  const node = h("li", {
    class: ["message", compact && "is-compact", message.only_you && "is-only-you", mine && "is-for-me",
      changed && "is-changed", world.target === message.ts && "is-target"].filter(Boolean).join(" "),
    tabindex: "-1", "aria-label": `${shownName(author)}, ${dateWords(Number(message.ts), "{time}")}${message.only_you ? ", only visible to you" : ""}`,
  },
  message.only_you && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
  message.root && h("p", { class: "in-thread" }, icon("reply"), h("span", {}, "replied to a thread: "), h("button", {
    type: "button", class: "link-button", data: { focus: "root" }, on: { click: () => openThread(message.channel, message.root.ts) },
  }, shortened(spoken(message.root.text)))),
  compact ? h("span", { class: "gutter" }, timeNode(message.ts, "gutter-time")) : face(author),
  h("div", { class: "message-main" },
    !compact && h("p", { class: "message-head" },
      h("strong", { class: "author" }, author?.is_bot ? world.state.app.name : fullName(author)),
      message.by_app && h("span", { class: "app-badge" }, "APP"), timeNode(message.ts, "time")),
    h("div", { class: message.deleted ? "message-body muted" : "message-body" }, words, attachmentsOf(message.attachments, surface)),
    message.edits > 0 && !message.deleted && h("span", { class: "edited", title: `Edited ${message.edits === 1 ? "once" : `${message.edits} times`}` }, "(edited)"),
    trouble && h("p", { class: "trouble", role: "alert" }, icon("warn"), trouble),
    message.only_you && h("button", { type: "button", class: "link-button dismiss", data: { focus: "dismiss" }, on: { click: () => dismiss(message) } }, "Dismiss message"),
    !inThread && message.replies.length > 0 && threadSummary(message)),
  toolbar(message, { inThread }));
  node.edits = message.edits;
  return node;
}

function noticeNode({ key, ts, text }) {
  return h("li", { class: "message is-only-you", tabindex: "-1", "aria-label": "Slackbot, only visible to you" },
    h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
    h("span", { class: "face is-slackbot", "aria-hidden": "true" }, "S"),
    h("div", { class: "message-main" },
      h("p", { class: "message-head" }, h("strong", { class: "author" }, "Slackbot"), timeNode(ts, "time")),
      h("div", { class: "message-body b-text" }, text),
      h("button", { type: "button", class: "link-button dismiss", data: { focus: "dismiss" }, on: { click: () => {
        world.notices = world.notices.filter((each) => each.key !== key);
        renderMessages();
        renderThread();
      } } }, "Dismiss message")));
}

let noticed = 0;

const shortened = (text) => (text.length > 80 ? `${text.slice(0, 78)}…` : text);

function threadSummary(message) {
  const { length } = message.replies;
  const authors = [...new Set(message.replies.map((reply) => reply.author))].slice(0, 3);
  const last = new Date(Number(message.replies.at(-1).ts) * 1000);
  return h("button", { type: "button", class: "thread-summary", data: { focus: "thread" }, on: { click: () => openThread(message.channel, message.ts) } },
    h("span", { class: "thread-faces" }, authors.map((author) => face(userOf(author), "is-tiny"))),
    h("span", { class: "thread-count" }, length === 1 ? "1 reply" : `${length} replies`),
    h("time", { class: "muted", datetime: last.toISOString(), data: { at: String(last.getTime() / 1000), format: "Last reply {ago}" } }, `Last reply ${ago(last)}`));
}

function toolbar(message, { inThread }) {
  const link = `${location.origin}/archives/${message.channel}/p${message.ts.replace(".", "")}${message.is_reply ? `?thread_ts=${message.thread_ts}` : ""}`;
  const shortcuts = message.only_you || message.deleted ? [] : world.state.app.shortcuts.filter((each) => each.kind === "message");
  return h("div", { class: "message-tools" },
    !inThread && !message.only_you && h("button", {
      type: "button", class: "tool", "aria-label": "Reply in thread", title: "Reply in thread", data: { focus: "reply" },
      on: { click: () => openThread(message.channel, message.thread_ts ?? message.ts, { write: true }) },
    }, icon("reply")),
    menuButton({ class: "tool", "aria-label": "More actions on this message", title: "More actions", data: { focus: "more" } }, icon("dots"), () => [
      ...shortcuts.map((each) => ({ text: each.name, detail: world.state.app.name, run: () => void useMessageShortcut(message, each) })),
      ...(message.only_you ? [] : [{ text: "Copy link", run: () => navigator.clipboard?.writeText(link) }]),
      { text: "Look inside", detail: "What the app sent, and what a screen reader says", run: () => inside(message) },
    ]));
}

function inside(message) {
  const { text, blocks, attachments, metadata } = message;
  lookInside("Inside this message",
    h("h3", {}, "A notification and a screen reader say"), h("p", { class: "b-text" }, spoken(text) || "Nothing."),
    h("h3", {}, "As it is stored"), h("pre", { class: "json" }, JSON.stringify({ text, blocks, attachments, metadata }, null, 2)));
}

async function useMessageShortcut(message, each) {
  const done = await act({ act: "message_shortcut", channel: message.channel, ts: message.ts, callback_id: each.callback_id });
  if (done.error_seen) notice(message.channel, done.error_seen, message.is_reply ? message.thread_ts : null);
}

/** F6 goes from region to region, as in Slack; Shift goes back. */
function toNextRegion(back) {
  const regions = [at("people"), at("sidebar"), at("messages"), at("composer-box"), at("thread"), at("inspector")]
    .filter((region) => region && region.getClientRects().length);
  const now = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions.at((now + (back ? -1 : 1) + (now < 0 && back ? 1 : 0)) % regions.length);
  const first = next.matches("textarea, ol") ? next : next.querySelector("h2[tabindex], [aria-current], button, input");
  (next.id === "messages" ? next.querySelector("li.message:last-of-type") ?? next : first)?.focus();
}

/** Arrow keys go from message to message; Escape goes back to writing. */
function walk(event, list) {
  const now = document.activeElement?.closest("li.message");
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && (event.target === now || event.target === list)) {
    const all = [...list.querySelectorAll("li.message")];
    const next = now ? all[all.indexOf(now) + steps[event.key]] : all.at(-1);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Escape" && !event.defaultPrevented) focusComposer();
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
    list.addEventListener("keydown", (event) => walk(event, list));
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
    ...(root ? [messageItem(root, { inThread: true })] : []), ...(replies.length ? [count] : []),
    ...replies.map((reply, index) => messageItem(reply, { inThread: true, compact: goesOn(replies[index - 1], reply) })),
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
  // What changed between the first reading and the first word of the stream is read again with it.
  let stood = false;
  listen({
    onchange,
    onstate: (stands) => {
      at("offline").hidden = stands;
      if (stands && !stood) void refreshAll();
      stood = stands;
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
