"use strict";
// Reads requests to webhooks, and prints what npm's svix makes of each: its body, or the refusal.
const { Webhook } = require("svix");

const requests = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const read = ({ secret, headers, body }) => {
  try {
    return { body: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    return { refused: error.message };
  }
};
console.log(JSON.stringify(requests.map(read)));
