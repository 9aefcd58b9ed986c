// The stand-in's front API: reading, acting, and the stream of changes.

/** An error from the server: the page shows `sentence`. */
export class Refused extends Error {
  constructor(sentence) {
    super(sentence);
    this.sentence = sentence;
  }
}

async function asked(path, options) {
  let answer;
  try {
    answer = await fetch(`/front/${path}`, options);
  } catch {
    throw new Refused("The stand-in does not answer. Is it still running?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.sentence ?? `The stand-in answered ${answer.status}.`);
  return body;
}

export const get = (path, query = {}) => asked(`${path}?${new URLSearchParams(query)}`);
export const post = (path, body = {}) => asked(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});
export const remove = (path) => asked(path, { method: "DELETE" });

const RETRY_MILLISECONDS = [300, 1000, 2000, 5000];

/** Listen to the changes for ever: `onchange(change)`, and `onstate(connected)` when the connection opens or ends. */
export function listen({ onchange, onstate }) {
  let tries = 0;
  const connect = () => {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/front/events`);
    socket.addEventListener("open", () => {
      tries = 0;
      onstate(true);
    });
    socket.addEventListener("message", (event) => onchange(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      onstate(false);
      setTimeout(connect, RETRY_MILLISECONDS[Math.min(tries, RETRY_MILLISECONDS.length - 1)]);
      tries += 1;
    });
  };
  connect();
}

/** `run` without overlap: a call during a run starts one more run afterwards, and all callers wait for the last. */
export function onceAtATime(run) {
  let running = null;
  let again = false;
  const rounds = async () => {
    try {
      while (again) {
        again = false;
        await run();
      }
    } finally {
      running = null;
    }
  };
  return () => {
    again = true;
    running ??= rounds();
    return running;
  };
}
