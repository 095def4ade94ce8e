/** What every app does with a message: the framework's own ways to send, to close, and to reach all others. */
export const welcome = () => `pid ${process.pid}`;

export function obey(message, { send, close, toOthers }) {
  if (typeof message !== "string") return send(message);
  const [order, text] = message.split(":");
  if (order === "echo") return send(text);
  if (order === "all") return toOthers(text);
  if (order === "bye") return close(4001, "as you say");
}
