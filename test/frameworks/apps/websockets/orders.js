/** What every app does with a message: the framework's own ways to send, to close, and to reach all others. */
let last = "nobody";

export function obey(message, { send, close, toOthers }) {
  if (message === "close") close(4001, "bye");
  else if (message === "last") send(last);
  else if (message === "pid") send(`pid ${process.pid}`);
  else if (typeof message === "string" && message.startsWith("broadcast")) toOthers(message);
  else send(message);
}

/** Somebody has left. */
export function leave(code, reason) {
  last = `${code} ${reason}`;
}
