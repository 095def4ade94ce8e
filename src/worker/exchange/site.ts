import type { AppServer } from "../../app/server.ts";
import type { Log } from "../../api/log.ts";
import type { Scheme } from "../../http/proxy/forwarded.ts";
import type { EngineRecord } from "../records/engine-record.ts";
import type { Door } from "./gate.ts";
import type { Upgrades } from "./upgrades.ts";
import type { Handler } from "./handler.ts";

/** What serves the requests of one listener, and what they depend on: all that an exchange asks. */
export interface Site {
  /** The scheme of requests, unless a trusted proxy says another one. */
  readonly scheme: Scheme;
  /** The authority of requests without Host: `127.0.0.1:8000`. */
  readonly host: string;
  /** It is a unix socket, whose peers have no address. */
  readonly unix: boolean;
  /** The app's second argument. */
  readonly server: AppServer;
  readonly handler: Handler;
  /** Null if the app may have any number of requests at a time, however late. */
  readonly gate: Door | null;
  /** Null where every request is answered. */
  upgrades(): Upgrades | null;
  /** Where requests are told; null if nobody wants to know of them. */
  readonly records: EngineRecord | null;
  readonly log: Log;
  /** Each answer ends its connection, from now on. */
  closing(): boolean;
}
