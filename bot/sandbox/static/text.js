// Slack's texts as nodes: mrkdwn, plain text, Markdown, rich text, and dates in the reader's zone.
// `names` resolves ids: {user, channel, group, broadcast}, each giving {text, mine, go}.

import { append, h } from "./dom.js";
import { EMOJI } from "./emoji.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const SAFE_LINK = /^(https?:|mailto:)/i;
const WORD = /[\p{L}\p{N}]/u;
const CODE = /^:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/;
const BARE_LINK = /^https?:\/\/[^\s<>|"]+[^\s<>|".,;:!?)\]}'`*_~]/i;

export function unescaped(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/** Colon codes as characters; an unknown code stays as it is. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/g, (code, name) => EMOJI[name] ?? code);
}

/** A text object of Block Kit. */
export function textObject(object, names) {
  if (!object) return [];
  return object.type === "mrkdwn"
    ? mrkdwn(object.text, names, { verbatim: object.verbatim })
    : plain(object.text, { emoji: object.emoji });
}

export function plain(text, { emoji = true } = {}) {
  const said = unescaped(text);
  return broken(emoji === false ? said : withEmoji(said));
}

/** Text with its line breaks. */
function broken(text) {
  return text.split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]));
}

// --- mrkdwn ---

export function mrkdwn(text, names, { verbatim = false } = {}) {
  return text.split(/```/).flatMap((piece, at, all) => {
    // An opening fence without a closing one is only three backticks.
    if (at % 2 === 1 && at < all.length - 1) {
      return [h("pre", {}, entitiesOnly(piece.replace(/^\n/, "").replace(/\n$/, ""), names))];
    }
    return quoted(at % 2 === 1 ? `\`\`\`${piece}` : trimmedAround(piece, at, all.length), names, verbatim);
  });
}

/** A code block is on its own lines, so the breaks beside its fences are not drawn twice. */
function trimmedAround(piece, at, count) {
  let trimmed = piece;
  if (at > 0) trimmed = trimmed.replace(/^\n/, "");
  if (at < count - 2) trimmed = trimmed.replace(/\n$/, "");
  return trimmed;
}

function quoted(text, names, verbatim) {
  const nodes = [];
  let lines = [];
  let inQuote = false;
  const flush = () => {
    if (!lines.length) return;
    const inner = inline(lines.join("\n"), names, verbatim);
    nodes.push(...(inQuote ? [h("blockquote", {}, inner)] : inner));
    lines = [];
  };
  let toTheEnd = false;
  for (const line of text.split("\n")) {
    const found = toTheEnd ? null : /^(?:>>>|&gt;&gt;&gt;|>|&gt;) ?/.exec(line);
    const quotes = toTheEnd || Boolean(found);
    if (quotes !== inQuote) flush();
    inQuote = quotes;
    toTheEnd ||= Boolean(found && /^(>>>|&gt;&gt;&gt;)/.test(found[0]));
    lines.push(found ? line.slice(found[0].length) : line);
  }
  flush();
  return nodes;
}

const MARKS = { "*": "strong", _: "em", "~": "del" };

function inline(text, names, verbatim) {
  const nodes = [];
  let said = "";
  const flush = () => {
    if (said) nodes.push(...broken(unescaped(said)));
    said = "";
  };
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const character = text[at];
    const before = text[at - 1] ?? "";
    let taken = 0;
    let node = null;
    if (character === "<") {
      const end = rest.indexOf(">");
      if (end > 1) [node, taken] = [reference(rest.slice(1, end), names), end + 1];
    } else if (character === "`") {
      const end = rest.indexOf("`", 1);
      if (end > 1 && !rest.slice(0, end).includes("\n")) {
        [node, taken] = [h("code", {}, entitiesOnly(rest.slice(1, end), names)), end + 1];
      }
    } else if (MARKS[character] && !WORD.test(before) && before !== character) {
      const end = closing(rest, character);
      if (end > 0) [node, taken] = [h(MARKS[character], {}, inline(rest.slice(1, end), names, verbatim)), end + 1];
    } else if (character === ":") {
      const found = CODE.exec(rest);
      if (found && EMOJI[found[1]]) [node, taken] = [emoji(found[1]), found[0].length];
    } else if (!verbatim && character === "h" && !WORD.test(before)) {
      const found = BARE_LINK.exec(rest);
      if (found) [node, taken] = [link(unescaped(found[0]), unescaped(found[0])), found[0].length];
    }
    if (taken) {
      flush();
      nodes.push(node);
      at += taken;
    } else {
      said += character;
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** Where the mark at the start of `text` ends: before no letter, after no blank, on the same line, outside <…>. */
function closing(text, mark) {
  if (/\s/.test(text[1] ?? " ") || text[1] === mark) return -1;
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === "\n") return -1;
    if (text[at] === "<") {
      const end = text.indexOf(">", at);
      if (end > 0) at = end;
    } else if (text[at] === mark && !/\s/.test(text[at - 1]) && !WORD.test(text[at + 1] ?? "")) return at;
  }
  return -1;
}

/** Code is not formatted, but <…> is still resolved. */
function entitiesOnly(text, names) {
  return text.split(/(<[^<>]+>)/).flatMap((piece) => (
    /^<[^<>]+>$/.test(piece) ? [reference(piece.slice(1, -1), names)] : [unescaped(piece)]
  ));
}

function reference(inside, names) {
  const [target, ...labels] = inside.split("|");
  const label = labels.length ? unescaped(labels.join("|")) : "";
  if (target.startsWith("@")) return mention(names.user(target.slice(1), label));
  if (target.startsWith("#")) return mention(names.channel(target.slice(1), label));
  if (target.startsWith("!subteam^")) return mention(names.group(target.split("^")[1], label));
  if (target.startsWith("!date^")) {
    const [, at, format, url] = target.split("^");
    return dateNode(Number(at), unescaped(format ?? ""), { fallback: label, url: url && unescaped(url) });
  }
  if (target.startsWith("!")) return mention(names.broadcast(target.slice(1), label));
  const address = unescaped(target);
  return link(address, label || address.replace(/^mailto:/i, ""));
}

export function mention({ text, mine = false, go = null }) {
  const kind = mine ? "mention is-mine" : "mention";
  return go
    ? h("button", { type: "button", class: kind, on: { click: go } }, text)
    : h("span", { class: kind }, text);
}

/** A link if its address is allowed, otherwise only its words. */
export function link(address, words) {
  const content = withEmoji(words);
  if (!SAFE_LINK.test(address)) return document.createTextNode(content);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, content);
}

function emoji(name) {
  return h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, EMOJI[name]);
}

/** A text as one plain line, for a screen reader or a notification. */
export function spoken(text, names) {
  const box = h("div", {}, mrkdwn(text, names));
  for (const code of box.querySelectorAll("br")) code.replaceWith(" ");
  return box.textContent;
}

// --- dates ---

const DAY = 86_400_000;

const day = (options) => (date) => date.toLocaleDateString("en-US", options);
const withOrdinal = (weekday) => (date) => {
  const number = date.getDate();
  const ending = number % 100 > 10 && number % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
  const month = date.toLocaleDateString("en-US", { month: "long" });
  const name = weekday ? `${date.toLocaleDateString("en-US", { weekday: "long" })}, ` : "";
  return `${name}${month} ${number}${ending}, ${date.getFullYear()}`;
};
const pretty = (otherwise) => (date) => {
  const midnight = (value) => new Date(value.getFullYear(), value.getMonth(), value.getDate()).getTime();
  const away = Math.round((midnight(date) - midnight(new Date())) / DAY);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[away] ?? otherwise(date);
};
// A 12-hour clock needs no leading zero, a 24-hour clock reads better with one.
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit";
const clock = (seconds) => (date) => date.toLocaleTimeString(undefined, {
  hour: HOUR, minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}),
});
const short = day({ month: "short", day: "numeric", year: "numeric" });
const numeric = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

const TOKENS = {
  date_num: numeric,
  date: withOrdinal(false),
  date_short: short,
  date_long: withOrdinal(true),
  date_pretty: pretty(withOrdinal(false)),
  date_short_pretty: pretty(short),
  date_long_pretty: pretty(withOrdinal(true)),
  day_divider_pretty: pretty(day({ weekday: "long", month: "long", day: "numeric" })),
  time: clock(false),
  time_secs: clock(true),
  ago: (date) => ago(date),
};

/** How long ago, in the largest unit that fits. */
export function ago(date) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const [size, unit] = [[86_400, "day"], [3_600, "hour"], [60, "minute"]].find(([each]) => Math.abs(seconds) >= each) ?? [1, "second"];
  if (unit === "second") return "just now";
  return new Intl.RelativeTimeFormat("en-US", { numeric: "always" }).format(Math.trunc(seconds / size), unit);
}

export function dateWords(seconds, format) {
  const date = new Date(seconds * 1000);
  return format.replace(/\{(\w+)\}/g, (token, name) => TOKENS[name]?.(date) ?? token);
}

function dateNode(seconds, format, { fallback, url }) {
  if (!Number.isFinite(seconds) || !format) return document.createTextNode(fallback);
  const date = new Date(seconds * 1000);
  const time = h("time", {
    datetime: date.toISOString(), class: "date", title: date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }),
    data: /\{(ago|\w*pretty)\}/.test(format) ? { at: seconds, format } : {},
  }, dateWords(seconds, format));
  if (!url || !SAFE_LINK.test(url)) return time;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, time);
}

/** Draw relative dates anew, such as "5 minutes ago" and "today". */
export function refreshDates(root = document) {
  for (const time of root.querySelectorAll("time[data-format]")) {
    const words = dateWords(Number(time.dataset.at), time.dataset.format);
    if (time.textContent !== words) time.textContent = words;
  }
}

// --- rich text ---

const STYLES = { code: "code", strike: "del", italic: "em", bold: "strong", underline: "u", highlight: "mark", client_highlight: "mark" };

export function richText(block, names) {
  return block.elements.flatMap((element) => richElement(element, names));
}

function richElement(element, names) {
  const inside = () => element.elements.flatMap((part) => richInline(part, names));
  switch (element.type) {
    case "rich_text_quote":
      return [h("blockquote", {}, inside())];
    case "rich_text_preformatted":
      return [h("pre", {}, inside())];
    case "rich_text_list": {
      const ordered = element.style === "ordered";
      return [h(ordered ? "ol" : "ul", {
        class: "rich-list", style: { "--indent": String(element.indent ?? 0) }, ...(ordered && element.offset ? { start: element.offset + 1 } : {}),
      }, element.elements.map((item) => h("li", {}, item.elements.flatMap((part) => richInline(part, names)))))];
    }
    default:
      return [h("div", { class: "rich-section" }, inside())];
  }
}

function richInline(part, names) {
  let nodes;
  switch (part.type) {
    case "text": nodes = broken(part.text); break;
    case "link": nodes = [link(part.url, part.text || part.url)]; break;
    case "user": nodes = [mention(names.user(part.user_id, ""))]; break;
    case "channel": nodes = [mention(names.channel(part.channel_id, ""))]; break;
    case "usergroup": nodes = [mention(names.group(part.usergroup_id, ""))]; break;
    case "broadcast": nodes = [mention(names.broadcast(part.range, ""))]; break;
    case "emoji": nodes = [EMOJI[part.name] ? emoji(part.name) : `:${part.name}:`]; break;
    case "date": nodes = [dateNode(part.timestamp, part.format, { fallback: part.fallback ?? "", url: part.url })]; break;
    case "color": nodes = [h("span", { class: "swatch", style: { "--swatch": /^#[0-9a-f]{3,8}$/i.test(part.value) ? part.value : "transparent" } }), part.value]; break;
    default: nodes = [part.text ?? ""];
  }
  return Object.entries(STYLES).reduce((wrapped, [style, tag]) => (part.style?.[style] ? [h(tag, {}, wrapped)] : wrapped), nodes);
}

// --- Markdown, for the block of that name ---

const FENCE = /^ {0,3}(```|~~~)/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)]) +(?:\[( |x|X)\] )?(.*)$/;

export function markdown(text, names) {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const nodes = [];
  let at = 0;
  const until = (ends) => {
    const taken = [];
    while (at < lines.length && !ends(lines[at])) {
      taken.push(lines[at]);
      at += 1;
    }
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at];
    const heading = /^(#{1,6}) +(.+?) *#*$/.exec(line);
    if (!line.trim()) at += 1;
    else if (FENCE.test(line)) {
      const fence = FENCE.exec(line)[1];
      at += 1;
      nodes.push(h("pre", {}, until((each) => each.trim().startsWith(fence)).join("\n")));
      at += 1;
    } else if (heading) {
      // A message is no chapter of the page: its headings are bold lines, as in Slack.
      nodes.push(h("p", { class: `md-heading md-${heading[1].length}` }, h("strong", {}, span(heading[2], names))));
      at += 1;
    } else if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) {
      nodes.push(h("hr"));
      at += 1;
    } else if (line.startsWith(">")) {
      const inner = until((each) => !each.startsWith(">")).map((each) => each.replace(/^> ?/, ""));
      nodes.push(h("blockquote", {}, markdown(inner.join("\n"), names)));
    } else if (ITEM.test(line)) {
      nodes.push(list(until((each) => !ITEM.test(each) && !/^ +\S/.test(each)), names));
    } else if (line.includes("|") && /^[ |:-]+$/.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      nodes.push(pipeTable(until((each) => !each.includes("|")), names));
    } else {
      const paragraph = [line];
      at += 1;
      paragraph.push(...until((each) => !each.trim() || FENCE.test(each) || ITEM.test(each) || /^(#{1,6} |>)/.test(each)));
      nodes.push(h("p", {}, paragraph.flatMap((each, index) => (index ? [h("br"), ...span(each, names)] : span(each, names)))));
    }
  }
  return nodes;
}

function list(lines, names) {
  const [, margin, mark] = ITEM.exec(lines[0]);
  const ordered = /\d/.test(mark);
  const root = h(ordered ? "ol" : "ul", ordered && mark !== "1." ? { start: parseInt(mark, 10) } : {});
  let below = [];
  const nest = () => {
    if (below.length) root.lastElementChild?.append(ITEM.test(below[0]) ? list(below, names) : append(h("span"), span(below.join(" ").trim(), names)));
    below = [];
  };
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && found[1].length <= margin.length) {
      nest();
      const box = found[3] === undefined ? [] : [found[3] === " " ? "☐ " : "☑ "];
      root.append(h("li", {}, box, span(found[4], names)));
    } else below.push(line);
  }
  nest();
  return root;
}

function pipeTable(lines, names) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const [head, , ...rows] = lines;
  return h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {},
    h("thead", {}, h("tr", {}, cells(head).map((cell) => h("th", { scope: "col" }, span(cell, names))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row).map((cell) => h("td", {}, span(cell, names))))))));
}

const SPANS = [
  [/^`([^`\n]+)`/, (found) => h("code", {}, found[1])],
  [/^\*\*(?=\S)([^\n]+?)(?<=\S)\*\*/, (found, names) => h("strong", {}, span(found[1], names))],
  [/^__(?=\S)([^\n]+?)(?<=\S)__/, (found, names) => h("strong", {}, span(found[1], names))],
  [/^~~(?=\S)([^\n]+?)(?<=\S)~~/, (found, names) => h("del", {}, span(found[1], names))],
  [/^\*(?=\S)([^*\n]+?)(?<=\S)\*/, (found, names) => h("em", {}, span(found[1], names))],
  [/^_(?=\S)([^_\n]+?)(?<=\S)_(?![\p{L}\p{N}])/u, (found, names) => h("em", {}, span(found[1], names))],
  [/^!?\[([^\]\n]*)\]\(([^)\s]+)\)/, (found) => link(found[2], found[1] || found[2])],
  [/^<([@#!][^<>\n]+|https?:[^<>\s]+|mailto:[^<>\s]+)>/, (found, names) => reference(found[1], names)],
  [BARE_LINK, (found) => link(found[0], found[0])],
];

function span(text, names) {
  const nodes = [];
  let said = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const escape = /^\\([\\`*_{}[\]()#+.!|>~-])/.exec(rest);
    const code = CODE.exec(rest);
    const inWord = WORD.test(text[at - 1] ?? "") && /^[_h]/.test(rest);
    const rule = inWord ? null : SPANS.find(([pattern]) => pattern.test(rest));
    if (escape) {
      said += escape[1];
      at += 2;
    } else if (rule || (code && EMOJI[code[1]])) {
      if (said) nodes.push(unescaped(said));
      said = "";
      const found = rule ? rule[0].exec(rest) : code;
      nodes.push(rule ? rule[1](found, names) : emoji(found[1]));
      at += found[0].length;
    } else {
      said += text[at];
      at += 1;
    }
  }
  if (said) nodes.push(unescaped(said));
  return nodes;
}
