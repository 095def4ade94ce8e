/**
 * Requests that a node:http server upgrades, by its own "upgrade" listeners: websockets of ws and socket.io, and whatever else.
 * They go to the unix socket that it listens on, and their connections belong to the listeners from then on.
 */
import type { RequestHead } from "../../http/request/request.ts";
import { clientField, forgetClient, noteClient, type SentBy } from "./client-field.ts";
import { listensForUpgrades } from "./servers.ts";

export interface NodeUpgrades {
  /** Of the unix socket. */
  readonly path: string;
  /** Somebody listens: else they are requests like others, as in node. */
  isWanted(): boolean;
  /**
   * Answers a request's head as the server is to read it. `over` is to be called when it has been answered, or never will
   * be.
   */
  admit(head: RequestHead, sentBy: SentBy): { readonly head: Buffer; readonly over: () => void };
}

/** @param server of Bun's, that the node:http server has been given */
export function upgradesOf(server: object, path: string): NodeUpgrades {
  return { path, isWanted: () => listensForUpgrades(server), admit };
}

function admit(head: RequestHead, sentBy: SentBy): ReturnType<NodeUpgrades["admit"]> {
  const value = noteClient(sentBy);
  return { head: headOf(head, value), over: () => forgetClient(value) };
}

/** As it was sent, but for the path that the app is mounted at, and fields that are dropped. */
function headOf(head: RequestHead, client: string): Buffer {
  const { text, fields, fieldCount } = head;
  let lines = `${head.method} ${head.appTarget ?? head.target} HTTP/1.1\r\n`;
  for (let at = 0; at < 4 * fieldCount; at += 4) {
    const name = text.slice(fields[at], fields[at + 1]);
    lines += `${name}: ${text.slice(fields[at + 2], fields[at + 3])}\r\n`;
  }
  lines += `${clientField}: ${client}\r\n\r\n`;
  return Buffer.from(lines, "latin1");
}
