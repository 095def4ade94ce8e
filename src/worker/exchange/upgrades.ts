import type { Fetch } from "../../api/serving.ts";
import type { RefusalName } from "../../http/errors.ts";
import type { Scheme } from "../../http/proxy/forwarded.ts";
import type { Head } from "../../http/syntax/head.ts";
import type { RecordedClient } from "../records/recorded.ts";
import type { Reply } from "./reply.ts";

/** A request that its connection may leave HTTP by: an exchange. */
export interface Leaving {
  readonly head: Head;
  readonly scheme: Scheme;
  readonly client: RecordedClient;
  /** Null if it has none. */
  readonly body: object | null;
  /** False: it is too late for upgrade(). */
  readonly upgradable: boolean;
  /** From here on it isn't answered; null if it is too late. */
  upgrade(): Reply | null;
  /** What has become of it. */
  tell(status: number, bodyBytes: number): void;
}

/** What is done about requests with an Upgrade field. */
export interface Upgrades {
  /** Why the request isn't given to the app at all; null: it is. */
  refusalOf(head: Head): RefusalName | null;
  /** What is asked in the place of the app; undefined: the app itself. */
  handlerOf(exchange: Leaving): Fetch | undefined;
}
