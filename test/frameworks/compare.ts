/** What is different in two answers to the same request. */
import type { Observation } from "./observe.ts";

/** Fields that are the server's own business, and why. */
export const serversOwn: Readonly<Record<string, string>> = {
  date: "the time of the answer",
  server: "who has answered",
  connection: "whether it stays open is the worker class's decision",
  "keep-alive": "how long it stays open is the setting keepalive",
  "transfer-encoding": "a body that the app sends whole may get a length",
};

/** What the answer of a node listener loses on its way through Bun.serve, which takes it as a Response. */
export const lostByServe: Readonly<Record<string, string>> = {
  status: "the reason is the usual one, whatever the app says",
  "content-type": "what has none gets application/octet-stream",
  "content-length": "a stream goes out in chunks, whatever length the app says",
};

/**
 * One text for each difference, `content-length: ["2"] natively, ["3"] here`; none when they are alike.
 *
 * @param byServe ours has gone through Bun.serve, the native one hasn't
 */
export function differences(native: Observation, ours: Observation, byServe: boolean): string[] {
  const found: string[] = [];
  const compare = (what: string, theirs: unknown, mine: unknown) => {
    const [there, here] = [JSON.stringify(theirs), JSON.stringify(mine)];
    if (there !== here) found.push(`${what}: ${there} natively, ${here} here`);
  };
  const status = (answer: Observation) => (byServe ? answer.status.slice(0, 3) : answer.status);
  compare("status", status(native), status(ours));
  // A server that listens on :: sees a client of 127.0.0.1 so; lengths and hashes are those of the text.
  const isMapped = native.body.includes("::ffff:");
  compare("body", native.body.replaceAll("::ffff:", ""), ours.body);
  for (const name of new Set([...Object.keys(native.fields), ...Object.keys(ours.fields)])) {
    const [there, here] = [native.fields[name], ours.fields[name]];
    if (Object.hasOwn(serversOwn, name)) continue;
    // As with Transfer-Encoding: a length where there was none is no loss.
    if (name === "content-length" && there === undefined) continue;
    if (isMapped && (name === "content-length" || name === "etag")) continue;
    if (byServe && name === "content-length" && here === undefined) continue;
    if (byServe && name === "content-type" && there === undefined) continue;
    compare(name, there, here);
  }
  return found;
}
