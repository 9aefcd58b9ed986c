// Block Kit as nodes. A person's acts go out through `surface`:
//   surface.kind                              "message", "modal" or "home"
//   surface.names, surface.people             names for ids; the people and channels of selects
//   surface.state                             state.values of a view, {} for a message
//   surface.errors                            {block_id: sentence} of a view
//   surface.press(block, element)             a button, after its confirm dialog
//   surface.choose(block, element, value, query)   every other control that acts at once
//   surface.fill(block, element, value, query)     an input of a dialog or of the Home tab
//   surface.search(block, element, query)     options of an external select: {options, remark}

import { ask, h, icon, menuButton, mint, picker } from "./dom.js";
import { link, markdown, plain, richText, textObject, unescaped, withEmoji } from "./text.js";

/** All blocks of a message or a view; an unknown block is drawn as a remark. */
export function blocksOf(blocks, surface) {
  return blocks.map((block) => {
    const draw = BLOCKS[block.type];
    return draw ? draw(block, surface) : h("p", { class: "b-unknown" }, `This page cannot draw a block of type ${block.type}.`);
  });
}

const BLOCKS = {
  header: (block) => h("p", { class: "b-header", role: "heading", "aria-level": "3" }, plain(block.text.text, block.text)),
  divider: () => h("hr", { class: "b-divider" }),
  section: (block, surface) => h("div", { class: "b-section" },
    h("div", { class: "b-section-words" },
      block.text && h("div", { class: "b-text" }, textObject(block.text, surface.names)),
      block.fields && h("div", { class: "b-fields" },
        block.fields.map((field) => h("div", { class: "b-text" }, textObject(field, surface.names))))),
    block.accessory && h("div", { class: "b-accessory" }, elementOf(block, block.accessory, surface))),
  context: (block, surface) => h("div", { class: "b-context" },
    block.elements.map((element) => (element.type === "image"
      ? picture(element, "b-context-image")
      : h("span", { class: "b-text" }, textObject(element, surface.names))))),
  actions: (block, surface) => h("div", { class: "b-actions" },
    block.elements.map((element) => elementOf(block, element, surface))),
  context_actions: (block, surface) => h("div", { class: "b-actions" },
    block.elements.map((element) => elementOf(block, element, surface))),
  input: (block, surface) => inputBlock(block, surface),
  image: (block) => h("figure", { class: "b-image" },
    block.title && h("figcaption", {}, plain(block.title.text, block.title)), picture(block, "b-image-itself")),
  rich_text: (block, surface) => h("div", { class: "b-text b-rich" }, richText(block, surface.names)),
  markdown: (block, surface) => h("div", { class: "b-text b-markdown" }, markdown(block.text, surface.names)),
  table: (block, surface) => table(block.rows, surface, { settings: block.column_settings ?? [] }),
  data_table: (block, surface) => table(block.rows, surface, { caption: block.caption, head: true }),
  alert: (block, surface) => h("div", { class: `b-alert is-${block.level ?? "default"}` }, textObject(block.text, surface.names)),
  video: (block) => h("div", { class: "b-framed" },
    h("strong", {}, block.title_url ? link(block.title_url, block.title.text) : plain(block.title.text)),
    block.author_name && h("span", { class: "muted" }, ` ${block.author_name}`),
    block.description && h("div", {}, plain(block.description.text)),
    h("div", {}, link(block.video_url, `Video: ${block.alt_text}`))),
  file: (block) => h("div", { class: "b-framed" }, `File ${block.external_id}`),
  card: (block, surface) => card(block, surface),
  carousel: (block, surface) => h("div", { class: "b-carousel" }, block.elements.map((each) => card(each, surface))),
  container: (block, surface) => container(block, surface),
  task_card: (block, surface) => task(block, surface),
  plan: (block, surface) => h("div", { class: "b-framed" }, h("strong", {}, block.title),
    (block.tasks ?? []).map((each) => task(each, surface))),
};

// --- blocks with parts ---

function picture(image, kind) {
  const address = image.image_url ?? "";
  const here = address.startsWith("data:image/") || (URL.canParse(address) && new URL(address).origin === location.origin);
  if (here) return h("img", { class: kind, src: address, alt: image.alt_text });
  // The page loads nothing from other machines: their pictures are drawn as a name and a link.
  return h("span", { class: `${kind} b-image-elsewhere` }, image.alt_text, " ", address && link(address, "(picture)"));
}

function table(rows, surface, { settings = [], caption = "", head = true }) {
  const cell = (tag, value, column) => h(tag, {
    ...(tag === "th" ? { scope: "col" } : {}), class: `is-${settings[column]?.align ?? "left"}`,
  }, value.type === "rich_text" ? richText(value, surface.names) : plain(value.text));
  const [first, ...others] = rows;
  return h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption || "Table" }, h("table", {},
    caption && h("caption", {}, caption),
    head && h("thead", {}, h("tr", {}, first.map((value, column) => cell("th", value, column)))),
    h("tbody", {}, others.map((row) => h("tr", {}, row.map((value, column) => cell("td", value, column)))))));
}

function card(block, surface) {
  return h("div", { class: "b-framed b-card" },
    block.hero_image && picture(block.hero_image, "b-image-itself"),
    block.icon && picture(block.icon, "b-context-image"),
    block.title && h("div", { class: "b-card-title" }, textObject(block.title, surface.names)),
    block.subtitle && h("div", { class: "muted" }, textObject(block.subtitle, surface.names)),
    block.body && h("div", { class: "b-text" }, textObject(block.body, surface.names)),
    block.subtext && h("div", { class: "muted" }, textObject(block.subtext, surface.names)),
    block.actions && h("div", { class: "b-actions" }, block.actions.map((element) => elementOf(block, element, surface))));
}

function container(block, surface) {
  const head = [
    block.icon && picture(block.icon, "b-context-image"),
    block.title && h("strong", {}, plain(block.title.text)),
    block.rich_text_title && richText(block.rich_text_title, surface.names),
    block.subtitle && h("span", { class: "muted" }, " ", textObject(block.subtitle, surface.names)),
  ];
  const children = blocksOf(block.child_blocks, surface);
  return block.is_collapsible
    ? h("details", { class: "b-framed", open: !block.default_collapsed }, h("summary", {}, head), children)
    : h("div", { class: "b-framed" }, h("div", {}, head), children);
}

const TASK_STATUS = { pending: "Waiting", in_progress: "Under way", complete: "Done", error: "Failed" };

function task(block, surface) {
  return h("div", { class: "b-task" },
    h("strong", {}, block.title), " ", h("span", { class: "muted" }, TASK_STATUS[block.status] ?? block.status),
    ["details", "output"].map((part) => block[part] && h("div", { class: "b-text" }, richText(block[part], surface.names))),
    (block.sources ?? []).map((source) => h("div", {}, link(source.url, source.text || source.url))));
}

function inputBlock(block, surface) {
  const error = surface.errors?.[block.block_id];
  const [labelId, hintId, errorId] = ["label", "hint", "error"].map(mint);
  const described = [block.hint && hintId, error && errorId].filter(Boolean).join(" ") || null;
  const { element } = block;
  const grouped = ["checkboxes", "radio_buttons"].includes(element.type);
  const label = [
    plain(block.label.text, block.label),
    block.optional && h("span", { class: "muted" }, " (optional)"),
  ];
  const control = elementOf(block, element, surface, { name: unescaped(block.label.text), described, invalid: Boolean(error), input: true });
  const labelled = control.matches(".field") ? control : control.querySelector(".field");
  return h("div", { class: `b-input${error ? " has-error" : ""}`, ...(grouped ? { role: "group", "aria-labelledby": labelId, "aria-describedby": described } : {}) },
    labelled ? h("label", { class: "b-label", id: labelId, for: labelled.id }, label) : h("div", { class: "b-label", id: labelId }, label),
    control,
    error && h("p", { class: "b-error", id: errorId }, icon("warn"), error),
    block.hint && h("p", { class: "b-hint", id: hintId }, plain(block.hint.text, block.hint)));
}

// --- elements ---

/** One control. `field` comes from its input block: name, ids, and whether the value is wrong. */
function elementOf(block, element, surface, field = {}) {
  const draw = ELEMENTS[element.type];
  if (!draw) return h("span", { class: "b-unknown" }, `This page cannot draw an element of type ${element.type}.`);
  const entry = surface.state?.[block.block_id]?.[element.action_id] ?? null;
  const send = field.input ? surface.fill : surface.choose;
  return draw({
    block, element, surface, field, entry,
    focus: `${block.block_id}/${element.action_id}`,
    name: field.name ?? element.placeholder?.text ?? block.text?.text ?? element.action_id,
    send: (value, query) => send(block, element, value, query),
  });
}

function button({ block, element, surface, focus }) {
  const content = element.type === "icon_button" ? element.text?.text ?? element.icon : element.text.text;
  const props = {
    class: `button${element.style ? ` is-${element.style}` : ""}`, "aria-label": element.accessibility_label, data: { focus },
  };
  if (element.url) {
    // A button with a URL does both: the page opens the link, and the app gets the press.
    return h("a", {
      ...props, href: /^https?:/i.test(element.url) ? element.url : null, target: "_blank", rel: "noopener noreferrer",
      on: { click: () => surface.press(block, element) },
    }, plain(content));
  }
  return h("button", { ...props, type: "button", on: { click: () => surface.press(block, element) } }, plain(content, element.text));
}

const optionTold = (option, group) => ({
  value: option.value, text: withEmoji(unescaped(option.text.text)),
  detail: option.description && withEmoji(unescaped(option.description.text)), group,
});

function offered(element) {
  return [
    ...(element.options ?? []).map((option) => optionTold(option)),
    ...(element.option_groups ?? []).flatMap((group) => group.options.map((option) => optionTold(option, unescaped(group.label.text)))),
  ];
}

/** A select or multi-select; `kind` names the source of its options. */
function select(kind, many) {
  return ({ block, element, surface, field, entry, focus, name, send }) => {
    const people = surface.people;
    const options = {
      static: () => offered(element),
      external: () => [],
      users: () => people.users(),
      conversations: () => people.channels(element.filter?.include),
      channels: () => people.channels(["public"]),
    }[kind]();
    const initial = element[`initial_${{ static: "option", external: "option", users: "user", conversations: "conversation", channels: "channel" }[kind]}${many ? "s" : ""}`];
    const held = entry ? Object.entries(entry).find(([key]) => key.startsWith("selected_"))?.[1] : initial;
    const list = [held ?? []].flat();
    const told = list.filter((each) => typeof each === "object").map((each) => optionTold(each));
    const chosen = list.map((each) => (typeof each === "object" ? each.value : each));
    return picker({
      name: unescaped(name), placeholder: unescaped(element.placeholder?.text ?? "Choose an option"), options, many, chosen, focus,
      texts: Object.fromEntries(told.map((each) => [each.value, each.text])),
      least: element.min_query_length ?? 3,
      search: kind === "external" ? async (query) => {
        const found = await surface.search(block, element, query);
        return { ...found, options: found.options.map((option) => optionTold(option)) };
      } : null,
      empty: field.input && block.optional && !many ? { value: null, text: "—" } : null,
      invalid: field.invalid ? "true" : null, described: field.described,
      onchoose: (values, _options, query) => send(many ? values : values[0] ?? null, query),
    });
  };
}

function overflow({ element, focus, send }) {
  return menuButton(
    { class: "button is-icon", "aria-label": "More actions", data: { focus } }, icon("dots"),
    () => element.options.map((option) => ({
      text: withEmoji(unescaped(option.text.text)),
      detail: option.description && unescaped(option.description.text),
      href: option.url && /^https?:/i.test(option.url) ? option.url : null,
      run: () => send(option.value ?? option.text.text),
    })),
  );
}

const KINDS_OF_TEXT = { email_text_input: "email", url_text_input: "url" };

function typed({ block, element, field, entry, focus, surface, send }) {
  const value = entry ? entry.value ?? "" : element.initial_value ?? "";
  const id = mint("input");
  const shared = {
    id, class: "field", placeholder: element.placeholder && unescaped(element.placeholder.text), data: { focus },
    "aria-describedby": field.described, "aria-invalid": field.invalid ? "true" : null, autocomplete: "off",
    "aria-required": field.input && !block.optional ? "true" : null, "data-autofocus": element.focus_on_load,
    ...(field.input ? {} : { "aria-label": element.placeholder?.text ?? element.action_id }),
  };
  const node = element.multiline
    ? h("textarea", { ...shared, rows: "4" })
    : h("input", { ...shared, type: KINDS_OF_TEXT[element.type] ?? "text", inputmode: element.type === "number_input" ? "decimal" : null });
  node.value = surface.draft?.(focus) ?? value;
  const dispatches = block.dispatch_action ? element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"] : [];
  node.addEventListener("input", () => {
    surface.keepDraft?.(focus, node.value);
    if (dispatches.includes("on_character_entered")) soon(node, () => send(node.value || null));
  });
  node.addEventListener("change", () => {
    if (!block.dispatch_action) send(node.value || null);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !element.multiline && dispatches.includes("on_enter_pressed")) {
      event.preventDefault();
      event.stopPropagation();
      send(node.value || null);
    }
  });
  if (element.max_length) {
    // Slack counts down instead of refusing keys; the error appears when the form is sent.
    const left = h("span", { class: "b-left", "aria-hidden": "true" });
    const count = () => {
      const over = element.max_length - [...node.value].length;
      left.textContent = over < 100 ? String(over) : "";
      left.classList.toggle("is-over", over < 0);
    };
    node.addEventListener("input", count);
    count();
    return h("span", { class: "field-frame" }, node, left);
  }
  return node;
}

const WAIT_MILLISECONDS = 400;
const waiting = new WeakMap();

function soon(node, run, wait = WAIT_MILLISECONDS) {
  clearTimeout(waiting.get(node));
  waiting.set(node, setTimeout(run, wait));
}

function richInput(parts) {
  const words = (block) => (block?.elements ?? []).map((section) => (section.elements ?? []).map((part) => part.text ?? "").join("")).join("\n");
  const held = parts.entry ? parts.entry.rich_text_value : parts.element.initial_value;
  return typed({ ...parts, element: { ...parts.element, multiline: true }, entry: { value: words(held) } });
}

/** Dates and times. Each key is a change, so the value is sent when the person has stopped choosing. */
function moment(type, key, start, { into = (value) => value, out = (value) => value } = {}) {
  return ({ element, field, entry, focus, name, send }) => {
    const held = entry ? entry[key] : element[start];
    const node = h("input", {
      type, id: mint("input"), class: "field is-moment", data: { focus }, "aria-describedby": field.described,
      "aria-invalid": field.invalid ? "true" : null, ...(field.input ? {} : { "aria-label": unescaped(name) }),
    });
    node.value = held === null || held === undefined ? "" : into(held);
    let told = node.value;
    const tell = () => {
      clearTimeout(waiting.get(node));
      if (node.value === told) return;
      told = node.value;
      send(node.value ? out(node.value) : null);
    };
    node.addEventListener("change", () => soon(node, tell, 2 * WAIT_MILLISECONDS));
    node.addEventListener("blur", tell);
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter") tell();
    });
    return node;
  };
}

const two = (number) => String(number).padStart(2, "0");

function localMinute(seconds) {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function boxes(many) {
  return ({ element, surface, field, entry, focus, send }) => {
    const initial = many ? element.initial_options : element.initial_option;
    const held = entry ? entry[many ? "selected_options" : "selected_option"] : initial;
    const chosen = new Set([held ?? []].flat().map((option) => option.value));
    const group = mint("group");
    const inputs = [];
    const rows = element.options.map((option, at) => {
      const box = h("input", {
        type: many ? "checkbox" : "radio", name: group, value: option.value, checked: chosen.has(option.value),
        "aria-describedby": field.described, data: { focus: `${focus}/${at}` },
      });
      inputs.push(box);
      box.addEventListener("change", () => {
        const values = inputs.filter((each) => each.checked).map((each) => each.value);
        send(many ? values : values[0] ?? null);
      });
      return h("label", { class: "box" }, box, h("span", {}, textObject(option.text, surface.names),
        option.description && h("span", { class: "menu-detail" }, textObject(option.description, surface.names))));
    });
    return h("div", { class: "boxes", ...(field.input ? {} : { role: "group", "aria-label": element.action_id }) }, rows);
  };
}

function feedback({ block, element, surface, focus }) {
  return h("span", { class: "b-feedback" }, ["positive_button", "negative_button"].map((part) => h("button", {
    type: "button", class: "button", "aria-label": element[part].accessibility_label, data: { focus: `${focus}/${part}` },
    on: { click: () => surface.press(block, { ...element, text: element[part].text, value: element[part].value }) },
  }, plain(element[part].text.text))));
}

const ELEMENTS = {
  button,
  icon_button: button,
  feedback_buttons: feedback,
  workflow_button: ({ element }) => h("button", { type: "button", class: "button", disabled: true, title: "Workflows do not run in the stand-in" }, plain(element.text.text)),
  image: ({ element }) => picture(element, "b-accessory-image"),
  overflow,
  static_select: select("static", false),
  external_select: select("external", false),
  users_select: select("users", false),
  conversations_select: select("conversations", false),
  channels_select: select("channels", false),
  multi_static_select: select("static", true),
  multi_external_select: select("external", true),
  multi_users_select: select("users", true),
  multi_conversations_select: select("conversations", true),
  multi_channels_select: select("channels", true),
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  rich_text_input: richInput,
  file_input: () => h("p", { class: "muted" }, "Files cannot be uploaded in the stand-in."),
  radio_buttons: boxes(false),
  checkboxes: boxes(true),
  datepicker: moment("date", "selected_date", "initial_date"),
  timepicker: moment("time", "selected_time", "initial_time"),
  datetimepicker: moment("datetime-local", "selected_date_time", "initial_date_time", {
    into: localMinute, out: (value) => Math.floor(new Date(value).getTime() / 1000),
  }),
};

/** Show the confirm dialog of an element; true without one. */
export function confirmed(element, names) {
  const confirm = element.confirm;
  if (!confirm) return Promise.resolve(true);
  const words = (part, otherwise) => (confirm[part] ? withEmoji(unescaped(confirm[part].text)) : otherwise);
  return ask({
    title: words("title", "Are you sure?"), body: h("div", { class: "b-text" }, textObject(confirm.text, names)),
    yes: words("confirm", "Yes"), no: words("deny", "Cancel"), danger: confirm.style === "danger",
  });
}

/** Values of a view's inputs that are not sent yet: {block_id: value}. */
export function untold(root, view, drafts) {
  const values = {};
  for (const block of view.blocks.filter((each) => each.type === "input")) {
    const focus = `${block.block_id}/${block.element.action_id}`;
    const draft = drafts.get(focus);
    const known = view.state.values[block.block_id]?.[block.element.action_id];
    if (draft !== undefined && draft !== (known?.value ?? "")) values[block.block_id] = draft || null;
  }
  return values;
}

/** The attachments of a message: Slack's older blocks under a text. */
export function attachmentsOf(attachments, surface) {
  return attachments.map((attachment) => h("div", {
    class: "b-attachment", style: { "--bar": /^#?[0-9a-f]{6}$/i.test(attachment.color ?? "") ? `#${attachment.color.replace("#", "")}` : "var(--line)" },
  },
  attachment.pretext && h("div", { class: "b-text" }, textObject({ type: "mrkdwn", text: attachment.pretext }, surface.names)),
  attachment.title && h("strong", {}, attachment.title_link ? link(attachment.title_link, attachment.title) : plain(attachment.title)),
  attachment.text && h("div", { class: "b-text" }, textObject({ type: "mrkdwn", text: attachment.text }, surface.names)),
  attachment.fields && h("div", { class: "b-fields" }, attachment.fields.map((each) => h("div", { class: "b-text" },
    h("strong", {}, plain(each.title ?? "")), h("br"), textObject({ type: "mrkdwn", text: each.value ?? "" }, surface.names)))),
  blocksOf(attachment.blocks ?? [], surface),
  attachment.footer && h("div", { class: "muted" }, plain(attachment.footer))));
}
