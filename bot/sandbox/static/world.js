// Everything that the page knows, and the lookups in it.

import { h, wheel } from "./dom.js";

// Backgrounds on which white letters are readable.
const FACES = ["#3b5b9d", "#2d6e4f", "#94472c", "#7b3f91", "#a23650", "#55611f", "#1f6b7c", "#6b4d2a"];

/** `place` is {channel} or {app: "home" | "messages"}; `thread` is {channel, ts} or null. */
export const world = {
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

// --- kept by the browser: the read messages; kept by the tab: dismissed messages and the colours ---

export function kept(storage, key, otherwise) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

export const readUpTo = (channel) => kept(localStorage, "read", {})[world.me.id]?.[channel] ?? "0";

export function markRead(channel) {
  const newest = (world.messages.get(channel) ?? []).flatMap((message) => [message, ...message.replies]).map(({ ts }) => ts).sort().at(-1);
  if (!newest || newest <= readUpTo(channel)) return;
  const all = kept(localStorage, "read", {});
  keep(localStorage, "read", { ...all, [world.me.id]: { ...all[world.me.id], [channel]: newest } });
}

// --- people and channels ---

export const userOf = (id) => world.state.users.find((user) => user.id === id);
export const channelOf = (id) => world.state.channels.find((channel) => channel.id === id);
export const directChannel = () => world.state.channels.find((channel) => channel.kind === "im" && channel.with_user === world.me.id);
export const humans = () => world.state.users.filter((user) => !user.is_bot && !user.deleted);
export const shownName = (user) => user?.profile?.display_name || user?.name || "somebody";
export const fullName = (user) => user?.real_name || shownName(user);

export const people = {
  users: () => humans().map((user) => ({ value: user.id, text: `@${shownName(user)}`, detail: fullName(user) })),
  channels: (kinds) => world.state.channels
    .filter((channel) => channel.kind !== "im" && !channel.is_archived && (!kinds || kinds.includes(channel.kind)))
    .map((channel) => ({ value: channel.id, text: `#${channel.name}` })),
};

export function mentionsMe(text) {
  if (/<!(here|channel|everyone)[>|]/.test(text) || text.includes(`<@${world.me.id}`)) return true;
  return world.state.groups.some((group) => group.members.includes(world.me.id) && text.includes(`<!subteam^${group.id}`));
}

export function news(channel) {
  const read = readUpTo(channel.id);
  const fresh = (world.messages.get(channel.id) ?? [])
    .flatMap((message) => [message, ...message.replies.filter((reply) => reply.broadcast)])
    .filter((message) => message.ts > read && message.author !== world.me.id);
  const calls = fresh.filter((message) => channel.kind === "im" || message.only_you || mentionsMe(message.text));
  return { fresh: fresh.length, calls: calls.length };
}

export function face(user, kind = "") {
  if (user?.is_bot) return h("span", { class: `face is-app ${kind}`, "aria-hidden": "true" }, wheel());
  const seat = Math.max(0, world.state.users.findIndex(({ id }) => id === user?.id));
  const letters = fullName(user).split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  return h("span", { class: `face ${kind}`, "aria-hidden": "true", style: { "--face": FACES[seat % FACES.length] } }, letters);
}
